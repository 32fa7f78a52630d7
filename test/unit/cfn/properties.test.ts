import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AwsError } from '../../../src/local/kernel/error.js';
import { Crash, TestCloud } from './world.js';

const IDS = ['A', 'B', 'C', 'D', 'E'] as const;
type Template = { Resources: Record<string, { Type: string; DeletionPolicy?: string; Properties: Record<string, unknown> }> };

const TRUST = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }] };
const policy = (value: string): object => ({ PolicyName: `may-${value}`, PolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'sqs:*', Resource: '*' }] } });

/** Small templates over real services: names (changing one replaces), values, references to what comes before, and what is kept. */
const template: fc.Arbitrary<Template> = fc
  .array(
    fc.record({
      kind: fc.constantFrom('parameter', 'topic', 'queue', 'bucket', 'role'),
      name: fc.constantFrom('n1', 'n2'),
      value: fc.constantFrom('v1', 'v2', 'v3'),
      from: fc.option(fc.nat(2), { nil: undefined }),
      there: fc.boolean(),
      kept: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
    }),
    { minLength: IDS.length, maxLength: IDS.length },
  )
  .map((specs) => {
    const Resources: Template['Resources'] = { Always: { Type: 'AWS::SSM::Parameter', Properties: { Name: 'always', Type: 'String', Value: 'x' } } };
    specs.forEach((spec, i) => {
      if (!spec.there) return;
      const id = IDS[i]!;
      const before = spec.from === undefined ? undefined : IDS.slice(0, i).filter((other) => `${other}parameter` in Resources)[spec.from];
      const value = before === undefined ? spec.value : { 'Fn::Sub': `\${${before}parameter}-${spec.value}` };
      const name = `${id.toLowerCase()}-${spec.name}`;
      const number = Number(spec.value.slice(1));
      // One logical ID a type: the type of a resource can't be changed.
      const made = {
        parameter: { Type: 'AWS::SSM::Parameter', Properties: { Name: name, Type: 'String', Value: value } },
        topic: { Type: 'AWS::SNS::Topic', Properties: { TopicName: name, DisplayName: value } },
        queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: name, VisibilityTimeout: number } },
        bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: `bucket-${name}`, VersioningConfiguration: { Status: number === 1 ? 'Enabled' : 'Suspended' } } },
        role: { Type: 'AWS::IAM::Role', Properties: { RoleName: name, Description: value, AssumeRolePolicyDocument: TRUST, Policies: [policy(spec.value)] } },
      }[spec.kind];
      Resources[`${id}${spec.kind}`] = spec.kept ? { ...made, DeletionPolicy: 'Retain' } : made;
    });
    return { Resources };
  });

const removable = template.map(({ Resources }): Template => ({ Resources: Object.fromEntries(Object.entries(Resources).map(([id, { DeletionPolicy: _, ...rest }]) => [id, rest])) }));
const different = (a: Template, b: Template): boolean => JSON.stringify(a) !== JSON.stringify(b);
const CHANGES = /^(Put|Create|Set|Subscribe|Update)(?!Stack)/;

/** Fails the n-th changing call; answers whether it came to that. */
function failing(cloud: TestCloud, nth: number): () => boolean {
  let calls = 0;
  let failed = false;
  cloud.intercept = ({ operation }) => {
    if (!CHANGES.test(operation) || calls++ !== nth) return;
    failed = true;
    throw new AwsError('AccessDenied', 'no', { status: 403 });
  };
  return () => failed;
}

async function physicalIds(cloud: TestCloud, id: string): Promise<Record<string, string>> {
  const { StackResources } = await cloud.call<{ StackResources: { LogicalResourceId: string; PhysicalResourceId: string }[] }>('cloudformation', 'DescribeStackResources', { StackName: id });
  return Object.fromEntries(StackResources.map((resource) => [resource.LogicalResourceId, resource.PhysicalResourceId]));
}

/** The changing calls a cloud makes, as texts; the one that is denied fails whenever it is made. */
function calls(cloud: TestCloud, denied?: string): string[] {
  const made: string[] = [];
  cloud.intercept = ({ operation, input }) => {
    if (!CHANGES.test(operation)) return;
    const call = `${operation} ${JSON.stringify(input, (key, value: unknown) => (/token|tags/i.test(key) ? undefined : value))}`;
    made.push(call);
    if (call === denied) throw new AwsError('AccessDenied', 'no', { status: 403 });
  };
  return made;
}

describe('over generated templates', () => {
  it('update(A→B) leaves what create(B) leaves, update(B→B) does nothing, delete leaves nothing', async () => {
    await fc.assert(
      fc.asyncProperty(removable, removable, async (a, b) => {
        const fresh = new TestCloud();
        await fresh.create('s', b);
        const cloud = new TestCloud();
        const { id } = await cloud.create('s', a);
        if (different(a, b)) expect(await cloud.update(id, b)).toBe('UPDATE_COMPLETE');
        expect(await cloud.standing()).toEqual(await fresh.standing());
        await expect(cloud.update(id, b)).rejects.toThrow('No updates are to be performed.');
        await cloud.delete(id);
        expect(await cloud.standing()).toEqual({});
      }),
      { numRuns: 40 },
    );
  });

  it('a change set says what its execution does', async () => {
    await fc.assert(
      fc.asyncProperty(removable, removable, async (a, b) => {
        fc.pre(different(a, b));
        const cloud = new TestCloud();
        const { id } = await cloud.create('s', a);
        const before = await physicalIds(cloud, id);
        const seen = (await cloud.events(id)).length;
        const { Id } = await cloud.call<{ Id: string }>('cloudformation', 'CreateChangeSet', { StackName: id, ChangeSetName: 'c', TemplateBody: JSON.stringify(b), Capabilities: ['CAPABILITY_NAMED_IAM'] });
        const { Changes } = await cloud.call<{ Changes: { ResourceChange: { Action: string; LogicalResourceId: string; Replacement?: string } }[] }>('cloudformation', 'DescribeChangeSet', { ChangeSetName: Id });
        await cloud.call('cloudformation', 'ExecuteChangeSet', { ChangeSetName: Id });
        expect(await cloud.settled(id)).toBe('UPDATE_COMPLETE');
        const after = await physicalIds(cloud, id);
        const touched = new Set((await cloud.events(id)).slice(seen).map((event) => event.LogicalResourceId).filter((name) => name !== 's'));
        const said = new Map(Changes.map(({ ResourceChange }) => [ResourceChange.LogicalResourceId, ResourceChange]));
        for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
          const change = said.get(name);
          if (!(name in before)) expect(change?.Action, name).toBe('Add');
          else if (!(name in after)) expect(change?.Action, name).toBe('Remove');
          else if (before[name] !== after[name]) expect(change?.Replacement, name).toMatch(/True|Conditional/);
          else expect(change?.Replacement ?? 'False', name).toMatch(/False|Conditional/);
          if (touched.has(name)) expect(change, name).toBeDefined();
          else expect(change?.Action ?? 'Modify', name).toBe('Modify');
        }
      }),
      { numRuns: 40 },
    );
  });

  it('each call of an update failed in turn restores A', async () => {
    await fc.assert(
      fc.asyncProperty(removable, removable, async (a, b) => {
        fc.pre(different(a, b));
        for (let nth = 0, failed = true; failed; nth++) {
          const cloud = new TestCloud();
          const { id } = await cloud.create('s', a);
          const before = await cloud.standing();
          const hit = failing(cloud, nth);
          const status = await cloud.update(id, b);
          failed = hit();
          expect(status).toBe(failed ? 'UPDATE_ROLLBACK_COMPLETE' : 'UPDATE_COMPLETE');
          if (failed) expect(await cloud.standing()).toEqual(before);
        }
      }),
      { numRuns: 12 },
    );
  });

  it('a rollback after operations that were left halfway goes back to before the first of them', async () => {
    await fc.assert(
      fc.asyncProperty(removable, removable, removable, fc.nat(6), fc.nat(6), async (a, b, c, first, second) => {
        fc.pre(different(a, b) && different(b, c));
        const cloud = new TestCloud();
        const { id } = await cloud.create('s', a);
        const before = await cloud.standing();
        const hit = failing(cloud, first);
        const status = await cloud.update(id, b, { DisableRollback: true });
        expect(status).toBe(hit() ? 'UPDATE_FAILED' : 'UPDATE_COMPLETE');
        const stable = hit() ? before : await cloud.standing();
        const again = failing(cloud, second);
        let end = await cloud.update(id, c);
        // A name that a replaced resource still has, in case of a rollback, can't be given back meanwhile: then the failure may meet the rollback.
        if (hit() && end === 'UPDATE_ROLLBACK_FAILED') {
          await cloud.call('cloudformation', 'ContinueUpdateRollback', { StackName: id });
          end = await cloud.settled(id);
        }
        expect(end).toMatch(again() ? /^UPDATE_ROLLBACK_COMPLETE$/ : hit() ? /^UPDATE_(ROLLBACK_)?COMPLETE$/ : /^UPDATE_COMPLETE$/);
        const fresh = new TestCloud();
        await fresh.create('s', c);
        expect(await cloud.standing()).toEqual(end === 'UPDATE_COMPLETE' ? await fresh.standing() : stable);
      }),
      { numRuns: 40 },
    );
  });

  it('each call of a creation failed in turn leaves nothing', async () => {
    await fc.assert(
      fc.asyncProperty(removable, async (a) => {
        for (let nth = 0, failed = true; failed; nth++) {
          const cloud = new TestCloud();
          const hit = failing(cloud, nth);
          const { status } = await cloud.create('s', a);
          failed = hit();
          expect(status).toBe(failed ? 'ROLLBACK_COMPLETE' : 'CREATE_COMPLETE');
          if (failed) expect(await cloud.standing()).toEqual({});
        }
      }),
      { numRuns: 12 },
    );
  });

  it('a crash at every commit of an update comes to the same end, and of a failing one to all or nothing', async () => {
    await fc.assert(
      fc.asyncProperty(removable, removable, fc.option(fc.nat(6), { nil: undefined }), async (a, b, nth) => {
        fc.pre(different(a, b));
        const whole = new TestCloud();
        const made = calls(whole);
        const { id: first } = await whole.create('s', a);
        const [standingA, callsA] = [await whole.standing(), new Set(made.splice(0))];
        expect(await whole.update(first, b)).toBe('UPDATE_COMPLETE');
        const standingB = await whole.standing();
        // What is denied is nothing that going back needs.
        const denied = nth === undefined ? undefined : made.filter((call) => !callsA.has(call))[nth];
        for (let n = 2, died = true; died; n += 2) {
          const cloud = new TestCloud();
          const { id } = await cloud.create('s', a);
          calls(cloud, denied);
          cloud.boot({ crashAt: cloud.commits + n });
          try {
            await cloud.update(id, b);
            died = false;
          } catch (error) {
            if (!(error instanceof Crash)) throw error;
            cloud.boot();
          }
          const status = await cloud.settled(id);
          if (denied === undefined) expect(status, `commit ${n}`).toBe('UPDATE_COMPLETE');
          else expect(status, `commit ${n}`).toMatch(/^UPDATE_(ROLLBACK_)?COMPLETE$/);
          expect(await cloud.standing(), `commit ${n}`).toEqual(status === 'UPDATE_COMPLETE' ? standingB : standingA);
        }
      }),
      { numRuns: 6 },
    );
  });

  it('delete leaves only what is retained', async () => {
    await fc.assert(
      fc.asyncProperty(template, async (a) => {
        const cloud = new TestCloud();
        const { id } = await cloud.create('s', a);
        const before = await cloud.standing();
        const kept = Object.values(a.Resources).filter((resource) => resource.DeletionPolicy === 'Retain').map(({ Properties }) => String(Properties['Name'] ?? Properties['TopicName'] ?? Properties['QueueName'] ?? Properties['BucketName'] ?? Properties['RoleName']));
        expect(await cloud.delete(id)).toBe('DELETE_COMPLETE');
        expect(await cloud.standing()).toEqual(Object.fromEntries(Object.entries(before).filter(([name]) => kept.includes(name.split(' ')[1]!))));
      }),
      { numRuns: 40 },
    );
  });
});
