import { afterEach, describe, expect, it } from 'vitest';
import type { Client } from '../../../src/local/kernel/service.js';
import { A as ACCOUNT, eventually, functionCloud, REGION, type FunctionCloud } from '../services/function-cloud.js';

/** Whose rights read what `AWS::SSM::Parameter::Value` names: the stack's service role's, or the caller's. */

const TEMPLATE = { Parameters: { Image: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/team/image' } }, Resources: { T: { Type: 'AWS::SNS::Topic' } }, Outputs: { Image: { Value: { Ref: 'Image' } } } };
const ROLE = `arn:aws:iam::${ACCOUNT}:role/exec`;
const allow = (...Action: string[]): string => JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource: '*' }] });

let cloud: FunctionCloud;
afterEach(() => cloud.stop());

/** A cloud whose caller may deploy with a role: what each of the two may read. */
async function world(rights: { caller: readonly string[]; role: readonly string[] }): Promise<Client> {
  cloud = await functionCloud();
  const { admin } = cloud;
  await admin.call('ssm', 'PutParameter', { Name: '/team/image', Type: 'String', Value: 'ami-1' });
  const trust = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'cloudformation.amazonaws.com' }, Action: 'sts:AssumeRole' }] };
  await admin.call('iam', 'CreateRole', { RoleName: 'exec', AssumeRolePolicyDocument: JSON.stringify(trust) });
  await admin.call('iam', 'PutRolePolicy', { RoleName: 'exec', PolicyName: 'p', PolicyDocument: allow('sns:*', ...rights.role) });
  const { User } = await admin.call<{ User: { Arn: string; UserId: string } }>('iam', 'CreateUser', { UserName: 'deployer' });
  await admin.call('iam', 'PutUserPolicy', { UserName: 'deployer', PolicyName: 'p', PolicyDocument: allow('cloudformation:*', ...rights.caller) });
  return cloud.runtime.client({ principal: { kind: 'user', account: ACCOUNT, arn: User.Arn, userId: User.UserId, userName: 'deployer', tags: {} }, region: REGION });
}

const create = (caller: Client, more: object = { RoleARN: ROLE }) => caller.call<{ StackId: string }>('cloudformation', 'CreateStack', { StackName: 's', TemplateBody: JSON.stringify(TEMPLATE), ...more });

describe('a parameter that lies in Parameter Store', () => {
  it.each([
    ['the service role, where the caller may not', { caller: ['iam:PassRole'], role: ['ssm:GetParameters'] }],
    ['the caller, where the service role may not', { caller: ['iam:PassRole', 'ssm:GetParameters'], role: [] }],
  ])('is read by %s', async (_, rights) => {
    const caller = await world(rights);
    const { StackId } = await create(caller);
    const stack = await eventually(async () => {
      const { Stacks } = await cloud.admin.call<{ Stacks: { StackStatus: string; Outputs?: unknown[] }[] }>('cloudformation', 'DescribeStacks', { StackName: StackId });
      return Stacks[0]!.StackStatus.endsWith('IN_PROGRESS') ? undefined : Stacks[0];
    });
    expect(stack).toMatchObject({ StackStatus: 'CREATE_COMPLETE', Outputs: [{ OutputValue: 'ami-1' }] });
  });

  it('is denied in the name of the service role where neither may', async () => {
    const caller = await world({ caller: ['iam:PassRole'], role: [] });
    await expect(create(caller)).rejects.toMatchObject({ message: expect.stringMatching(/assumed-role\/exec\/AWSCloudFormation is not authorized to perform: ssm:GetParameters/) as string });
  });

  it('is not read through a role that the caller may not pass, nor without one', async () => {
    const caller = await world({ caller: [], role: ['ssm:GetParameters'] });
    await expect(create(caller)).rejects.toMatchObject({ message: expect.stringContaining('iam:PassRole') as string });
    await expect(create(caller, {})).rejects.toMatchObject({ message: expect.stringContaining('user/deployer is not authorized to perform: ssm:GetParameters') as string });
  });
});
