import { describe, expect, it } from 'vitest';
import { TestCloud } from './world.js';
import { StackStore } from '../../../src/local/cfn/store/store.js';
import { printPlan } from '../../../src/local/cfn/plan/plan.js';

const before = {
  Parameters: { Env: { Type: 'String', Default: 'one' }, Secret: { Type: 'String', NoEcho: true, Default: 'hidden' } },
  Resources: {
    P: { Type: 'AWS::SSM::Parameter', Properties: { Name: 'p', Type: 'String', Value: { Ref: 'Env' } } },
    T: { Type: 'AWS::SNS::Topic', Properties: { TopicName: 't', DisplayName: { 'Fn::GetAtt': ['P', 'Value'] }, Tags: [{ Key: 'a', Value: '1' }] } },
    U: { Type: 'AWS::SSM::Parameter', Properties: { Name: 'u', Type: 'String', Value: { 'Fn::Join': ['', ['x', { Ref: 'T' }]] } } },
    S: { Type: 'AWS::SSM::Parameter', Properties: { Name: 's', Type: 'String', Value: { Ref: 'Secret' } } },
    Kept: { Type: 'AWS::SSM::Parameter', DeletionPolicy: 'Retain', Properties: { Name: 'kept', Type: 'String', Value: 'k' } },
  },
};

async function changes(after: object, more: object = {}): Promise<{ plain: Record<string, unknown>[]; valued: Record<string, unknown>[]; text: string }> {
  const cloud = new TestCloud();
  const { id } = await cloud.create('s', before);
  const { Id } = await cloud.call<{ Id: string }>('cloudformation', 'CreateChangeSet', { StackName: id, ChangeSetName: 'c', TemplateBody: JSON.stringify(after), ...more });
  const look = async (IncludePropertyValues: boolean): Promise<Record<string, unknown>[]> => {
    const { Changes } = await cloud.call<{ Changes: { ResourceChange: Record<string, unknown> }[] }>('cloudformation', 'DescribeChangeSet', { ChangeSetName: Id, IncludePropertyValues });
    return Changes.map((change) => change.ResourceChange);
  };
  const record = new StackStore(cloud.state, '111111111111', 'eu-west-1').changeSet(Id.split('/')[2]!)!;
  return { plain: await look(false), valued: await look(true), text: printPlan(record.plan) };
}

describe('a deletion policy of Snapshot', () => {
  it('is refused for a type that has none', async () => {
    const template = { Resources: { P: { Type: 'AWS::SSM::Parameter', DeletionPolicy: 'Snapshot', Properties: { Type: 'String', Value: 'x' } } } };
    await expect(new TestCloud().create('s', template)).rejects.toThrow('Template error: resource type AWS::SSM::Parameter does not support deletion policy Snapshot');
  });
});

describe('a change set', () => {
  it('follows a change along references, as far as it is certain', async () => {
    const { plain } = await changes(before, { Parameters: [{ ParameterKey: 'Env', ParameterValue: 'two' }] });
    expect(plain.map((change) => [change['LogicalResourceId'], change['Replacement'], (change['Details'] as { ChangeSource: string; Evaluation: string; CausingEntity?: string }[]).map((detail) => `${detail.ChangeSource} ${detail.Evaluation} ${detail.CausingEntity ?? ''}`)])).toEqual([
      ['P', 'False', ['ParameterReference Static Env', 'DirectModification Dynamic ']],
      ['T', 'False', ['ResourceAttribute Dynamic P.Value']],
    ]);
  });

  it('replaces for certain what a replaced resource is named in', async () => {
    const after = structuredClone(before) as typeof before;
    after.Resources.T.Properties.TopicName = 'other';
    const { plain, valued } = await changes(after);
    expect(plain.map((change) => [change['LogicalResourceId'], change['Replacement'], change['PolicyAction']])).toEqual([['T', 'True', 'ReplaceAndDelete'], ['U', 'False', undefined]]);
    expect(JSON.parse(valued[1]!['AfterContext'] as string)).toMatchObject({ Properties: { Value: 'x{{changeSet:KNOWN_AFTER_APPLY}}' } });
  });

  it('names leaves by their path, tags apart', async () => {
    const after = structuredClone(before) as typeof before;
    after.Resources.T.Properties.Tags.push({ Key: 'b', Value: '2' });
    const { valued } = await changes(after);
    expect(valued[0]).toMatchObject({ Scope: ['Tags'], Details: [{ Target: { Attribute: 'Tags', Path: '/Properties/Tags/1', AfterValue: '{"Key":"b","Value":"2"}', AttributeChangeType: 'Add', RequiresRecreation: 'Never' } }] });
  });

  it('says what becomes of removed resources', async () => {
    const { Kept: _, P: __, ...rest } = before.Resources;
    const after = { ...before, Resources: { ...rest, T: { ...before.Resources.T, Properties: { TopicName: 't' } } } };
    const { plain } = await changes(after);
    expect(plain.filter((change) => change['Action'] === 'Remove').map((change) => [change['LogicalResourceId'], change['PolicyAction']])).toEqual([['P', 'Delete'], ['Kept', 'Retain']]);
  });

  it('shows no secret', async () => {
    const { valued } = await changes(before, { Parameters: [{ ParameterKey: 'Secret', ParameterValue: 'new secret' }] });
    expect(JSON.stringify(valued)).not.toMatch(/hidden|new secret/);
    expect(JSON.stringify(valued)).toContain('****');
  });

  it('prints itself', async () => {
    const after = structuredClone(before) as typeof before;
    after.Resources.T.Properties.TopicName = 'other';
    const { text } = await changes(after);
    expect(text).toBe(['± T (AWS::SNS::Topic) arn:aws:sns:eu-west-1:111111111111:t  [replaced, ReplaceAndDelete]', '    /Properties/TopicName: t → other', '~ U (AWS::SSM::Parameter) u', '    /Properties/Value: xarn:aws:sns:eu-west-1:111111111111:t → x{{changeSet:KNOWN_AFTER_APPLY}}', '    /Properties/Value: xarn:aws:sns:eu-west-1:111111111111:t → x{{changeSet:KNOWN_AFTER_APPLY}}  (T)', ''].join('\n'));
  });
});
