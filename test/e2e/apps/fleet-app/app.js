// A fleet of five accounts and four regions: one pipeline, a network and a service in each target, the service built on the network.
module.paths.push(require('./modules.json'));
const { App, CfnOutput, Fn, RemovalPolicy, Stack, Stage } = require('aws-cdk-lib');
const { Repository } = require('aws-cdk-lib/aws-codecommit');
const { Bucket } = require('aws-cdk-lib/aws-s3');
const { CfnParameter } = require('aws-cdk-lib/aws-ssm');
const { CodePipeline, CodePipelineSource, ManualApprovalStep, ShellStep } = require('aws-cdk-lib/pipelines');

const REGIONS = ['us-east-1', 'eu-west-1', 'eu-central-1', 'ap-southeast-2'];

class Target extends Stage {
  constructor(scope, id, props) {
    super(scope, id, props);
    const { account, region } = props.env;
    const network = new Stack(this, 'Network');
    new CfnParameter(network, 'Cidr', { type: 'String', name: `/fleet/cidr`, value: '10.0.0.0/16' });
    new CfnOutput(network, 'Zone', { value: 'zone-a', exportName: `fleet-zone` });
    const service = new Stack(this, 'Service');
    service.addStackDependency(network);
    new CfnParameter(service, 'Where', { type: 'String', name: `/fleet/zone`, value: Fn.importValue('fleet-zone') });
    if (region === REGIONS[0]) {
      new Bucket(service, 'Cache', { bucketName: `fleet-cache-${account}`, versioned: true, removalPolicy: RemovalPolicy.DESTROY });
      new Bucket(service, 'Ledger', { bucketName: `fleet-ledger-${account}`, removalPolicy: RemovalPolicy.RETAIN });
    }
  }
}

const app = new App();
const tools = new Stack(app, 'FleetPipeline', { env: { account: '999999999999', region: 'us-east-1' } });
const pipeline = new CodePipeline(tools, 'Pipeline', {
  pipelineName: 'fleet',
  crossAccountKeys: true,
  synth: new ShellStep('Synth', { input: CodePipelineSource.codeCommit(Repository.fromRepositoryName(tools, 'Repository', 'fleet'), 'main'), installCommands: ['npm install -g aws-cdk@2'], commands: ['cdk synth --quiet'] }),
});
for (const [name, account] of [['Dev', '111111111111'], ['Test', '222222222222'], ['Stage', '333333333333'], ['Prod', '444444444444']]) {
  const wave = pipeline.addWave(name, name === 'Prod' ? { pre: [new ManualApprovalStep('Promote')] } : {});
  for (const region of REGIONS) wave.addStage(new Target(app, `${name}-${region}`, { env: { account, region } }));
}
app.synth();
