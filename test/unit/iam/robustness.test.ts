import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePolicy, decide, explain, validatePolicy, type PolicyKind } from '../../../src/local/iam/index.js';
import { principal } from './tables.js';

const word = fc.constantFrom('Allow', 'Deny', '*', 's3:*', 's3:GetObject', 'arn:aws:s3:::b/*', '${aws:username}', '${', '2012-10-17', 'StringLike', 'Null', 'IpAddress', 'DateLessThan', 'true', '10.0.0.0/8', '');
const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  any: fc.oneof({ depthSize: 'small' }, word, fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.array(tie('any'), { maxLength: 3 }), tie('object')),
  object: fc.dictionary(fc.constantFrom('AWS', 'Service', 'StringLike', 'ForAnyValue:StringEquals', 'Null', 'NumericLessThan', 'aws:username', 's3:prefix', 'x'), tie('any'), { maxKeys: 3 }),
})).any;
const statement = fc.dictionary(
  fc.constantFrom('Sid', 'Effect', 'Principal', 'NotPrincipal', 'Action', 'NotAction', 'Resource', 'NotResource', 'Condition', 'Extra'),
  fc.oneof(word, value),
  { maxKeys: 7 },
);
/** Mostly well-formed, so that some pass IAM's check. */
const nearly = fc
  .record({
    Effect: fc.constantFrom('Allow', 'Deny'),
    Action: fc.constantFrom('s3:*', 'sts:AssumeRole', '*'),
    Resource: fc.constantFrom('*', 'arn:aws:s3:::b/${aws:username}'),
    Principal: fc.oneof(fc.constantFrom('*', { AWS: '*' }, { Service: ['x.amazonaws.com'] }), value),
    Condition: fc.oneof(fc.constant({ StringLike: { 's3:prefix': ['x*'] } }), value),
    Sid: value,
  }, { requiredKeys: ['Effect', 'Action'] });
const policy = fc.record({ Version: fc.oneof({ weight: 5, arbitrary: fc.constant('2012-10-17') }, value), Statement: fc.oneof({ weight: 4, arbitrary: nearly }, fc.array(statement, { maxLength: 3 }), statement, value) }, { requiredKeys: [] });
const document = fc.oneof({ weight: 6, arbitrary: policy.map((it) => JSON.stringify(it)) }, fc.string(), value.map((it) => JSON.stringify(it)));
const kind = fc.constantFrom<PolicyKind>('identity', 'managed', 'trust', 'resource', 'scp');

const request = { principal: principal('user'), action: 's3:GetObject', resource: 'arn:aws:s3:::b/alice', context: { 's3:prefix': 'x' } };

describe('any document whatever', () => {
  it('is judged, never a crash', () => {
    fc.assert(
      fc.property(document, kind, (text, as) => {
        const problem = validatePolicy(text, as);
        expect(problem === undefined || problem.length > 0).toBe(true);
        const decision = decide(request, { identity: [{ name: 'p', document: text }], resource: { kind: 'resource', account: '111111111111', document: text } });
        expect(typeof explain(decision)).toBe('string');
      }),
      { numRuns: 5000 },
    );
  });

  it('that passes IAM’s check can be evaluated', () => {
    fc.assert(
      fc.property(document, kind, (text, as) => {
        if (validatePolicy(text, as) === undefined) expect(compilePolicy(text).error, text).toBeUndefined();
      }),
      { numRuns: 5000 },
    );
  });

  it('that can’t be evaluated denies', () => {
    fc.assert(
      fc.property(document, (text) => {
        const allowing = { name: 'all', document: '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}' };
        if (compilePolicy(text).error !== undefined) expect(decide(request, { identity: [allowing, { name: 'p', document: text }] }).allowed).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });
});
