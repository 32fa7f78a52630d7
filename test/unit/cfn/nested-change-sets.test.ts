import { describe, expect, it } from 'vitest';
import { REGION, TestCloud } from './world.js';

const BUCKET = 'templates-111111111111';
const url = (key: string): string => `https://${BUCKET}.s3.${REGION}.amazonaws.com/${key}`;
const parameter = (name: string, value: unknown): object => ({ Type: 'AWS::SSM::Parameter', Properties: { Name: name, Type: 'String', Value: value } });
const nested = (key: string, parameters?: object): object => ({ Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL: url(key), ...(parameters ? { Parameters: parameters } : {}) } });

interface Described {
  Status: string;
  StatusReason?: string;
  ExecutionStatus: string;
  StackId: string;
  StackName: string;
  ChangeSetId: string;
  ChangeSetName: string;
  ParentChangeSetId?: string;
  RootChangeSetId?: string;
  IncludeNestedStacks: boolean;
  Parameters?: { ParameterKey: string; ParameterValue: string }[];
  Changes: { ResourceChange: { Action: string; LogicalResourceId: string; ResourceType: string; ChangeSetId?: string; PhysicalResourceId?: string; Details: object[] } }[];
}

/** A cloud with templates in a bucket; `root → mid → leaf`. */
async function hierarchy(): Promise<TestCloud> {
  const cloud = new TestCloud();
  await cloud.call('s3', 'CreateBucket', { Bucket: BUCKET, CreateBucketConfiguration: { LocationConstraint: REGION } });
  await put(cloud, 'leaf', LEAF);
  await put(cloud, 'mid', MID);
  return cloud;
}

async function put(cloud: TestCloud, key: string, template: object): Promise<void> {
  await cloud.call('s3', 'PutObject', { Bucket: BUCKET, Key: key, Body: Buffer.from(JSON.stringify(template)) });
}

const LEAF = { Parameters: { Value: { Type: 'String' } }, Resources: { P: parameter('leaf', { Ref: 'Value' }) } };
const MID = {
  Parameters: { Given: { Type: 'String' } },
  Resources: { T: { Type: 'AWS::SNS::Topic', Properties: { TopicName: 'mid', DisplayName: { Ref: 'Given' } } }, Leaf: nested('leaf', { Value: { Ref: 'T' } }) },
  Outputs: { Topic: { Value: { Ref: 'T' } } },
};
const ROOT = { Resources: { First: parameter('first', 'one'), Mid: nested('mid', { Given: { 'Fn::GetAtt': ['First', 'Value'] } }) }, Outputs: { Topic: { Value: { 'Fn::GetAtt': ['Mid', 'Outputs.Topic'] } } } };

async function changeSet(cloud: TestCloud, template: object, more: object = {}): Promise<Described> {
  const { Id } = await cloud.call<{ Id: string }>('cloudformation', 'CreateChangeSet', { StackName: 's', ChangeSetName: 'c', TemplateBody: JSON.stringify(template), IncludeNestedStacks: true, ...more });
  return describeSet(cloud, Id);
}

function describeSet(cloud: TestCloud, id: string): Promise<Described> {
  return cloud.call<never>('cloudformation', 'DescribeChangeSet', { ChangeSetName: id }) as Promise<Described>;
}

async function child(cloud: TestCloud, parent: Described, logicalId: string): Promise<Described> {
  return describeSet(cloud, parent.Changes.find(({ ResourceChange }) => ResourceChange.LogicalResourceId === logicalId)!.ResourceChange.ChangeSetId!);
}

async function stacks(cloud: TestCloud): Promise<Record<string, string>> {
  const { Stacks } = await cloud.call<{ Stacks: { StackName: string; StackStatus: string }[] }>('cloudformation', 'DescribeStacks', {});
  return Object.fromEntries(Stacks.map((stack) => [stack.StackName.replace(/-[A-Za-z0-9]{12}/g, ''), stack.StackStatus]).sort());
}

async function execute(cloud: TestCloud, set: Described): Promise<string> {
  await cloud.call('cloudformation', 'ExecuteChangeSet', { ChangeSetName: set.ChangeSetId });
  return cloud.settled(set.StackId);
}

describe('a change set with IncludeNestedStacks', () => {
  it('for a new stack has one for each nested stack, at every level, which stand in review', async () => {
    const cloud = await hierarchy();
    const root = await changeSet(cloud, ROOT, { ChangeSetType: 'CREATE' });
    expect(root).toMatchObject({ Status: 'CREATE_COMPLETE', ExecutionStatus: 'AVAILABLE', IncludeNestedStacks: true });
    expect(root).not.toHaveProperty('ParentChangeSetId');
    const mid = await child(cloud, root, 'Mid');
    expect(mid).toMatchObject({
      Status: 'CREATE_COMPLETE', StatusReason: 'Executable from root change set', ExecutionStatus: 'UNAVAILABLE', ParentChangeSetId: root.ChangeSetId, RootChangeSetId: root.ChangeSetId, IncludeNestedStacks: true,
      // What the parent's resources will give isn't known yet.
      Parameters: [{ ParameterKey: 'Given', ParameterValue: '{{changeSet:KNOWN_AFTER_APPLY}}' }],
    });
    const leaf = await child(cloud, mid, 'Leaf');
    expect(leaf).toMatchObject({ ParentChangeSetId: mid.ChangeSetId, RootChangeSetId: root.ChangeSetId });
    expect(leaf.Changes.map(({ ResourceChange }) => [ResourceChange.Action, ResourceChange.LogicalResourceId])).toEqual([['Add', 'P']]);
    expect(await stacks(cloud)).toEqual({ s: 'REVIEW_IN_PROGRESS', 's-Mid': 'REVIEW_IN_PROGRESS', 's-Mid-Leaf': 'REVIEW_IN_PROGRESS' });
    const { Stacks } = await cloud.call<{ Stacks: { ParentId: string; RootId: string }[] }>('cloudformation', 'DescribeStacks', { StackName: leaf.StackId });
    expect(Stacks[0]).toMatchObject({ ParentId: mid.StackId, RootId: root.StackId });
  });

  it('is executed from its root, with the values that the parents give by then', async () => {
    const cloud = await hierarchy();
    const root = await changeSet(cloud, ROOT, { ChangeSetType: 'CREATE' });
    const mid = await child(cloud, root, 'Mid');
    await expect(cloud.call('cloudformation', 'ExecuteChangeSet', { ChangeSetName: mid.ChangeSetId })).rejects.toMatchObject({ code: 'InvalidChangeSetStatus' });
    await expect(cloud.call('cloudformation', 'DeleteChangeSet', { ChangeSetName: mid.ChangeSetId })).rejects.toMatchObject({ code: 'InvalidChangeSetStatus' });
    // Somebody changes the template after it was looked at: what was looked at is what is done.
    await put(cloud, 'mid', { Resources: { Other: parameter('other', 'x') } });
    expect(await execute(cloud, root)).toBe('CREATE_COMPLETE');
    expect(await cloud.standing()).toEqual({ 'sns mid': 'one', 'ssm first': ['String', 'one'], 'ssm leaf': ['String', 'arn:aws:sns:eu-west-1:111111111111:mid'] });
    expect(await stacks(cloud)).toEqual({ s: 'CREATE_COMPLETE', 's-Mid': 'CREATE_COMPLETE', 's-Mid-Leaf': 'CREATE_COMPLETE' });
    expect(await describeSet(cloud, mid.ChangeSetId)).toMatchObject({ ExecutionStatus: 'EXECUTE_COMPLETE' });
    const { Stacks } = await cloud.call<{ Stacks: { ChangeSetId: string; StackId: string }[] }>('cloudformation', 'DescribeStacks', { StackName: mid.StackId });
    expect(Stacks[0]).toMatchObject({ ChangeSetId: mid.ChangeSetId, StackId: mid.StackId });
    expect(await cloud.delete(root.StackId)).toBe('DELETE_COMPLETE');
    expect(await cloud.standing()).toEqual({});
    expect(await stacks(cloud)).toEqual({});
  });

  it('shows what changes in a nested stack of a standing one, and leaves out the nested stacks that stay', async () => {
    const cloud = await hierarchy();
    const both = (leafKey: string): object => ({ Resources: { Mid: nested('mid', { Given: 'g' }), Other: nested(leafKey, { Value: 'v' }) } });
    await put(cloud, 'other', { ...LEAF, Resources: { P: parameter('other', { Ref: 'Value' }) } });
    expect(await execute(cloud, await changeSet(cloud, both('other'), { ChangeSetType: 'CREATE' }))).toBe('CREATE_COMPLETE');
    await put(cloud, 'leaf', { ...LEAF, Resources: { P: parameter('leaf', { 'Fn::Sub': '${Value}!' }) } });
    const root = await changeSet(cloud, both('other'));
    expect(root.Changes.map(({ ResourceChange }) => [ResourceChange.Action, ResourceChange.LogicalResourceId, ResourceChange.Details])).toEqual([
      ['Modify', 'Mid', [{ Target: { Attribute: 'Properties', RequiresRecreation: 'Never' }, Evaluation: 'Dynamic', ChangeSource: 'Automatic' }]],
    ]);
    const leaf = await child(cloud, await child(cloud, root, 'Mid'), 'Leaf');
    expect(leaf.Changes.map(({ ResourceChange }) => [ResourceChange.Action, ResourceChange.LogicalResourceId])).toEqual([['Modify', 'P']]);
    expect(await execute(cloud, root)).toBe('UPDATE_COMPLETE');
    expect((await cloud.standing())['ssm leaf']).toEqual(['String', 'arn:aws:sns:eu-west-1:111111111111:mid!']);
    expect(await changeSet(cloud, both('other'), { ChangeSetName: 'again' })).toMatchObject({ Status: 'FAILED', StatusReason: "The submitted information didn't contain changes. Submit different information to create a change set." });
  });

  it('goes with its whole hierarchy, and the stacks in review that were made for it', async () => {
    const cloud = await hierarchy();
    const root = await changeSet(cloud, ROOT, { ChangeSetType: 'CREATE' });
    const mid = await child(cloud, root, 'Mid');
    await cloud.call('cloudformation', 'DeleteChangeSet', { ChangeSetName: root.ChangeSetId });
    expect(await stacks(cloud)).toEqual({ s: 'REVIEW_IN_PROGRESS' });
    await expect(describeSet(cloud, mid.ChangeSetId)).rejects.toMatchObject({ code: 'ChangeSetNotFound' });
    await changeSet(cloud, ROOT, { ChangeSetType: 'CREATE' });
    expect(await cloud.delete(root.StackId)).toBe('DELETE_COMPLETE');
    expect(await stacks(cloud)).toEqual({});
  });

  it('fails with a nested one that fails, which says why', async () => {
    const cloud = await hierarchy();
    await put(cloud, 'leaf', { Resources: { P: { Type: 'AWS::SSM::Parameter', Properties: { Value: { Ref: 'Nobody' } } } } });
    const root = await changeSet(cloud, ROOT, { ChangeSetType: 'CREATE' });
    expect(root).toMatchObject({ Status: 'FAILED', ExecutionStatus: 'UNAVAILABLE', Changes: [] });
    const [, failed] = /^Nested change set (arn:\S+) was not successfully created: Currently in FAILED\.$/.exec(root.StatusReason!)!;
    const mid = await describeSet(cloud, failed!);
    const [, deeper] = /^Nested change set (arn:\S+) was/.exec(mid.StatusReason!)!;
    expect(await describeSet(cloud, deeper!)).toMatchObject({ Status: 'FAILED', StatusReason: 'Template format error: Unresolved resource dependencies [Nobody] in the Resources block of the template' });
    await cloud.call('cloudformation', 'DeleteChangeSet', { ChangeSetName: root.ChangeSetId });
    expect(await stacks(cloud)).toEqual({ s: 'REVIEW_IN_PROGRESS' });
  });

  it('leaves nothing of its nested stacks when the parent fails before their turn', async () => {
    const cloud = await hierarchy();
    const root = await changeSet(cloud, { Resources: { ...ROOT.Resources, First: parameter('first', 'one'), Bad: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'no name!' }, DependsOn: 'First' }, Mid: { ...ROOT.Resources.Mid, DependsOn: 'Bad' } } }, { ChangeSetType: 'CREATE' });
    expect(await execute(cloud, root)).toBe('ROLLBACK_COMPLETE');
    expect(await stacks(cloud)).toEqual({ s: 'ROLLBACK_COMPLETE' });
  });

  it('of a template that nests itself comes to an end, and so does its creation', async () => {
    const cloud = await hierarchy();
    await put(cloud, 'mid', { Resources: { Mid: nested('mid') } });
    expect(await changeSet(cloud, { Resources: { Mid: nested('mid') } }, { ChangeSetType: 'CREATE' })).toMatchObject({ Status: 'FAILED' });
    const { id, status } = await cloud.create('t', { Resources: { Mid: nested('mid') } });
    expect(status).toBe('ROLLBACK_COMPLETE');
    expect((await cloud.events(id)).find((event) => event.ResourceStatus === 'CREATE_FAILED')?.ResourceStatusReason).toMatch(/^Embedded stack arn:\S+ was not successfully created: /);
  });

  it('is taken up where a crash left it', async () => {
    for (let n = 2, died = true; died; n += 3) {
      const cloud = await hierarchy();
      const root = await changeSet(cloud, ROOT, { ChangeSetType: 'CREATE' });
      cloud.boot({ crashAt: cloud.commits + n });
      try {
        await execute(cloud, root);
        died = false;
      } catch {
        cloud.boot();
        expect(await cloud.settled(root.StackId), `commit ${n}`).toBe('CREATE_COMPLETE');
      }
      expect(await stacks(cloud), `commit ${n}`).toEqual({ s: 'CREATE_COMPLETE', 's-Mid': 'CREATE_COMPLETE', 's-Mid-Leaf': 'CREATE_COMPLETE' });
      expect(Object.keys(await cloud.standing()), `commit ${n}`).toEqual(['sns mid', 'ssm first', 'ssm leaf']);
    }
  });

  it('puts nested stacks back when the parent fails later', async () => {
    const cloud = await hierarchy();
    expect(await execute(cloud, await changeSet(cloud, ROOT, { ChangeSetType: 'CREATE' }))).toBe('CREATE_COMPLETE');
    const before = await cloud.standing();
    const root = await changeSet(cloud, { Resources: { First: parameter('first', 'two'), Mid: ROOT.Resources.Mid, Bad: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'no name!' }, DependsOn: 'Mid' } } });
    expect((await child(cloud, root, 'Mid')).Changes.map(({ ResourceChange }) => ResourceChange.LogicalResourceId)).toContain('T');
    expect(await execute(cloud, root)).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(await cloud.standing()).toEqual(before);
  });
});
