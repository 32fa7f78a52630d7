import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import assert from 'node:assert/strict';
import test from 'node:test';
import { networking } from '../lib/networking.js';
import { parameters } from '../lib/parameters.js';

const fleet = networking(new App(), 'core');
const app = fleet.stack.node.root as App;

function stack(stage: string, id: string): Template {
  return Template.fromStack(app.node.findChild(stage).node.findChild(id) as Stack);
}

test('every environment that is on has the network in both regions, with its own name and block', () => {
  const vpcs = ['Dev', 'Pre', 'Pro'].flatMap((stage) => ['eu-west-1', 'eu-west-2'].map((region) => Object.values(stack(stage, `Networking-${region}`).findResources('AWS::EC2::VPC'))[0]!.Properties));
  assert.deepEqual(vpcs.map(({ CidrBlock }) => CidrBlock), ['10.10.0.0/16', '10.11.0.0/16', '10.20.0.0/16', '10.21.0.0/16', '10.30.0.0/16', '10.31.0.0/16']);
  assert.deepEqual(vpcs.map(({ Tags }) => Tags.find(({ Key }: { Key: string }) => Key === 'Name').Value), ['vpc-acme-core-dev', 'vpc-acme-core-dev', 'vpc-acme-core-pre', 'vpc-acme-core-pre', 'vpc-acme-core-pro-main', 'vpc-acme-core-pro-main']);
});

test('what is off is not there', () => {
  assert.equal(app.node.tryFindChild('Dr'), undefined);
});

test('a person approves pre and pro', () => {
  const [pipeline] = Object.values(Template.fromStack(fleet.stack).findResources('AWS::CodePipeline::Pipeline'));
  const stages: { Name: string; Actions: { Name: string; ActionTypeId: { Category: string } }[] }[] = pipeline!.Properties.Stages;
  assert.deepEqual(stages.filter(({ Actions }) => Actions.some(({ ActionTypeId }) => ActionTypeId.Category === 'Approval')).map(({ Name }) => Name), ['Pre', 'Pro']);
});

test('parameters that are none are refused', () => {
  assert.throws(() => parameters.parse({ cidr: '10.0.0.0/8', naming: { prefix: 'x' } }), /must be a block of \/16 to \/28/);
  assert.throws(() => parameters.parse({ cidr: '10.0.0.0/16' }), /naming.prefix is missing/);
});
