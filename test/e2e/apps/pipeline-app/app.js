// A CDK Pipelines app as its documentation teaches it, in plain JavaScript; what the tests change lies in shape.json.
// CDK comes from where the tests run: nothing is installed.
module.paths.push(require('./modules.json'));
const { App, CfnOutput, Stack, Stage } = require('aws-cdk-lib');
const { Repository } = require('aws-cdk-lib/aws-codecommit');
const { ManagedPolicy, Role, ServicePrincipal } = require('aws-cdk-lib/aws-iam');
const { CfnParameter } = require('aws-cdk-lib/aws-ssm');
const { CodePipeline, CodePipelineSource, ConfirmPermissionsBroadening, ManualApprovalStep, ShellStep } = require('aws-cdk-lib/pipelines');
const shape = require('./shape.json');

class Service extends Stage {
  constructor(scope, id, props) {
    super(scope, id, props);
    const stack = new Stack(this, 'Service');
    new CfnParameter(stack, 'Value', { type: 'String', name: '/service/value', value: shape.value });
    if (shape.lookup) new CfnParameter(stack, 'Zones', { type: 'String', name: '/service/zones', value: stack.availabilityZones.join() });
    if (shape.role) new Role(stack, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com'), managedPolicies: [ManagedPolicy.fromAwsManagedPolicyName('ReadOnlyAccess')] });
    this.value = new CfnOutput(stack, 'Deployed', { value: shape.value });
  }
}

const app = new App();
const tools = new Stack(app, 'FleetPipeline', { env: { account: '999999999999', region: 'us-east-1' } });
const source = CodePipelineSource.codeCommit(Repository.fromRepositoryName(tools, 'Repository', 'fleet'), 'main');
const pipeline = new CodePipeline(tools, 'Pipeline', {
  pipelineName: 'fleet',
  crossAccountKeys: true,
  synth: new ShellStep('Synth', { input: source, installCommands: ['npm install -g aws-cdk@2'], commands: shape.synth }),
});
const dev = new Service(app, 'Dev', { env: { account: '111111111111', region: 'us-east-1' } });
pipeline.addStage(dev, {
  pre: shape.confirm ? [new ConfirmPermissionsBroadening('Broadening', { stage: dev })] : [],
  post: [new ShellStep('SmokeTest', { envFromCfnOutputs: { DEPLOYED: dev.value }, commands: shape.smoke })],
});
const prod = pipeline.addWave('Prod', { pre: [new ManualApprovalStep('Promote')] });
for (const region of shape.regions) prod.addStage(new Service(app, `Prod-${region}`, { env: { account: '222222222222', region } }));
if (shape.broken) {
  pipeline.buildPipeline();
  pipeline.pipeline.node.defaultChild.addPropertyOverride('Stages.1.Actions.0.RunOrder', 1000);
}
app.synth();
