// The module `cfn-response` that AWS::Lambda::Function gives to inline code (CloudFormation user guide, "cfn-response module").
exports.SUCCESS = 'SUCCESS';
exports.FAILED = 'FAILED';

exports.send = function (event, context, responseStatus, responseData, physicalResourceId, noEcho) {
  const body = JSON.stringify({
    Status: responseStatus,
    Reason: 'See the details in CloudWatch Log Stream: ' + context.logStreamName,
    PhysicalResourceId: physicalResourceId || context.logStreamName,
    StackId: event.StackId,
    RequestId: event.RequestId,
    LogicalResourceId: event.LogicalResourceId,
    NoEcho: noEcho || false,
    Data: responseData,
  });
  const url = new URL(event.ResponseURL);
  const client = require(url.protocol === 'http:' ? 'http' : 'https');
  const request = client.request(
    { hostname: url.hostname, port: url.port || undefined, path: url.pathname + url.search, method: 'PUT', headers: { 'content-type': '', 'content-length': Buffer.byteLength(body) } },
    function () {
      context.done();
    },
  );
  request.on('error', function (error) {
    console.log('send(..) failed executing https.request(..): ' + error);
    context.done();
  });
  request.write(body);
  request.end();
};
