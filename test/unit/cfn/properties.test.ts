import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AwsError } from '../../../src/local/kernel/error.js';
import { TestCloud } from './world.js';

const IDS = ['A', 'B', 'C', 'D'] as const;

/** Small templates over real services: names, values and references to what comes before. */
const template = fc
  .array(
    fc.record({
      kind: fc.constantFrom('parameter', 'topic', 'queue'),
      name: fc.constantFrom('n1', 'n2'),
      value: fc.constantFrom('v1', 'v2', 'v3'),
      from: fc.option(fc.nat(2), { nil: undefined }),
      there: fc.boolean(),
    }),
    { minLength: IDS.length, maxLength: IDS.length },
  )
  .map((specs) => {
    const resources: Record<string, object> = { Always: { Type: 'AWS::SSM::Parameter', Properties: { Name: 'always', Type: 'String', Value: 'x' } } };
    specs.forEach((spec, i) => {
      if (!spec.there) return;
      const id = IDS[i]!;
      const before = spec.from === undefined ? undefined : IDS.slice(0, i).filter((other) => `${other}parameter` in resources)[spec.from];
      const value = before === undefined ? spec.value : { 'Fn::Sub': `\${${before}parameter}-${spec.value}` };
      const name = `${id}-${spec.name}`;
      // One logical ID a type: the type of a resource can't be changed.
      if (spec.kind === 'parameter') resources[`${id}parameter`] = { Type: 'AWS::SSM::Parameter', Properties: { Name: name, Type: 'String', Value: value } };
      if (spec.kind === 'topic') resources[`${id}topic`] = { Type: 'AWS::SNS::Topic', Properties: { TopicName: name, DisplayName: value } };
      if (spec.kind === 'queue') resources[`${id}queue`] = { Type: 'AWS::SQS::Queue', Properties: { QueueName: name, VisibilityTimeout: Number(spec.value.slice(1)) } };
    });
    return { Resources: resources };
  });

describe('over generated templates', () => {
  it('update(A→B) leaves what create(B) leaves, update(B→B) does nothing, delete leaves nothing', async () => {
    await fc.assert(
      fc.asyncProperty(template, template, async (a, b) => {
        const fresh = new TestCloud();
        await fresh.create('s', b);
        const cloud = new TestCloud();
        const { id } = await cloud.create('s', a);
        if (JSON.stringify(a) !== JSON.stringify(b)) expect(await cloud.update(id, b)).toBe('UPDATE_COMPLETE');
        expect(await cloud.standing()).toEqual(await fresh.standing());
        await expect(cloud.update(id, b)).rejects.toThrow('No updates are to be performed.');
        await cloud.delete(id);
        expect(await cloud.standing()).toEqual({});
      }),
      { numRuns: 40 },
    );
  });

  it('failing any call of an update restores A', async () => {
    await fc.assert(
      fc.asyncProperty(template, template, fc.nat(12), async (a, b, nth) => {
        fc.pre(JSON.stringify(a) !== JSON.stringify(b));
        const cloud = new TestCloud();
        const { id } = await cloud.create('s', a);
        const before = await cloud.standing();
        let calls = 0;
        let failed = false;
        cloud.intercept = ({ operation }) => {
          if (/^(Put|Create|Set|Subscribe)/.test(operation) && calls++ === nth) {
            failed = true;
            throw new AwsError('AccessDenied', 'no', { status: 403 });
          }
        };
        const status = await cloud.update(id, b);
        expect(status).toBe(failed ? 'UPDATE_ROLLBACK_COMPLETE' : 'UPDATE_COMPLETE');
        if (failed) expect(await cloud.standing()).toEqual(before);
      }),
      { numRuns: 40 },
    );
  });
});
