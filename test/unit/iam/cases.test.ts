import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decide, denialMessage } from '../../../src/local/iam/index.js';
import { decideRow, principal, type Row } from './tables.js';

const cases = load<Row[]>('cases.json');
const operators = load<[operator: string, key: string, values: unknown[], given: unknown, holds: boolean][]>('operators.json');

describe('decisions', () => {
  it.each(cases.map((row) => [`${row.case}: ${row.name}`, row] as const))('%s', (_name, row) => {
    const decision = decideRow(row);
    expect(decision.allowed, JSON.stringify(decision.reason)).toBe(row.expect === 'A');
    if (row.says) expect(denialMessage(decision)).toContain(row.says);
    if (row.message) expect(denialMessage(decision)).toBe(row.message);
  });

  it('covers all 65 cases of the reference', () => {
    const numbers = new Set(cases.map((row) => row.case));
    for (let number = 1; number <= 65; number++) expect(numbers).toContain(number);
  });
});

describe('condition operators', () => {
  it.each(operators)('%s %s %j, given %j: %s', (operator, key, values, given, holds) => {
    const document = JSON.stringify({
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Action: '*', Resource: '*', Condition: { [operator]: { [key]: values } } },
    });
    const context = given === null ? {} : { 'aws:SourceVpc': given as string };
    const request = { principal: principal('user'), action: 's3:GetObject', resource: 'arn:aws:s3:::b/k', context };
    expect(decide(request, { identity: [{ name: 'p', document }] }).allowed).toBe(holds);
  });
});

function load<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8')) as T;
}
