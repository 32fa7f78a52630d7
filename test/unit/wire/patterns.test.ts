import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadModel, type Shape } from '../../../src/local/models/model.js';
import { isSupportedPattern, matchesPattern } from '../../../src/local/wire/patterns.js';

const SERVICES = [
  'sts', 'iam', 's3', 'ssm', 'kms', 'ecr', 'cloudformation', 'sns', 'sqs', 'secretsmanager', 'logs', 'ec2', 'codepipeline', 'codebuild', 'codecommit', 'codeconnections',
  'codestar-connections', 'events', 'lambda', 'apigateway', 'dynamodb', 'cloudwatch', 'codestar-notifications', 'chatbot', 'route53', 'organizations', 'stepfunctions',
];

function patterns(): string[] {
  const found = new Set<string>();
  const seen = new Set<Shape>();
  const walk = (shape: Shape | undefined): void => {
    if (!shape || seen.has(shape)) return;
    seen.add(shape);
    if (shape.pattern !== undefined) found.add(shape.pattern);
    for (const member of [...shape.members.values(), shape.member, shape.key, shape.value]) walk(member?.shape);
  };
  for (const service of SERVICES) for (const operation of loadModel(service)!.operations.values()) walk(operation.input);
  return [...found];
}

describe('patterns of the models', () => {
  it('can all be had', () => {
    expect(patterns().filter((pattern) => !isSupportedPattern(pattern))).toEqual([]);
  });

  it('match the whole text, as Java does', () => {
    expect(matchesPattern('[a-z]+', 'abc\n')).toBe(false);
    expect(matchesPattern('[\\w+=,.@-]+', 'a-b@c')).toBe(true);
    expect(matchesPattern('[\\w-_.]+', 'a-b')).toBe(true);
    expect(matchesPattern('(?i)all|[0-9]{12}', 'ALL')).toBe(true);
    expect(matchesPattern('[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*', 'Grüße 😀')).toBe(false);
    expect(matchesPattern('[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*', 'Grüße an 東京')).toBe(true);
    expect(matchesPattern('[\\u0020-\\uD7FF\\uE000-\\uFFFD\\uD800\\uDC00-\\uDBFF\\uDFFF\\r\\n\\t]*', 'a😀\n')).toBe(true);
    expect(matchesPattern('\\p{Print}+', 'a\u0007')).toBe(false);
    expect(matchesPattern('^(?!\\s*$).+', '   ')).toBe(false);
  });

  it('take time linear in the text', () => {
    const hostile = [' '.repeat(20_000), 'a'.repeat(20_000), 'a:'.repeat(10_000), '*'.repeat(20_000), `arn:aws${'-a'.repeat(10_000)}`, 'a.b-'.repeat(5_000), `arn:aws:codepipeline:${':'.repeat(20_000)}`];
    for (const pattern of ['(a+)+', '(a|a)*b', '([ \\t]+[^\\x00-\\x1F:\\x7F]+)*', '^[a-z0-9*](?:[._\\-/a-z0-9*]?[a-z0-9*]+)*$', 'arn:aws(-[\\w]+)*:codepipeline:.+:[0-9]{12}:.+']) {
      for (const text of hostile) {
        const started = performance.now();
        matchesPattern(pattern, `${text}\n`);
        expect(performance.now() - started).toBeLessThan(1000);
      }
    }
  });

  it('agree with the language on what it has itself', () => {
    const atom = fc.constantFrom('a', 'b', '[ab]', '[^a]', '.', '\\d', '(ab|c)', '(a|b)*', '(?:b+c)?', 'c{2}', 'a{1,3}', '[a-c]{2,}', '^', '$', '|');
    fc.assert(
      fc.property(fc.array(atom, { minLength: 1, maxLength: 6 }), fc.string({ unit: fc.constantFrom('a', 'b', 'c', '1', ' '), maxLength: 8 }), (atoms, text) => {
        const pattern = atoms.join('');
        expect(matchesPattern(pattern, text)).toBe(new RegExp(`^(?:${pattern})$`, 'u').test(text));
      }),
      { numRuns: 2000 },
    );
  });
});
