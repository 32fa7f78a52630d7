import { describe, expect, it } from 'vitest';
import { evaluate } from '../../../src/local/cfn/evaluate/evaluate.js';
import { cidrBlocks } from '../../../src/local/cfn/evaluate/cidr.js';
import { resolveDynamicReferences } from '../../../src/local/cfn/evaluate/dynamic.js';
import { makeScope } from '../../../src/local/cfn/evaluate/scopes.js';
import { NO_VALUE } from '../../../src/local/cfn/evaluate/value.js';
import type { Json } from '../../../src/local/cfn/json.js';
import { readTemplate } from '../../../src/local/cfn/template/read.js';

const template = readTemplate({
  Transform: 'AWS::LanguageExtensions',
  Parameters: { P: { Type: 'String' }, L: { Type: 'CommaDelimitedList' } },
  Mappings: { M: { a: { x: 'ax', list: ['1', '2'] } } },
  Conditions: { Yes: { 'Fn::Equals': [{ Ref: 'P' }, 'p'] }, No: { 'Fn::Not': [{ Condition: 'Yes' }] }, Both: { 'Fn::And': [{ Condition: 'Yes' }, { 'Fn::Or': [{ Condition: 'No' }, { Condition: 'Yes' }] }] } },
  Resources: { R: { Type: 'AWS::SNS::Topic' }, Off: { Type: 'AWS::SNS::Topic', Condition: 'No' } },
});
const scope = makeScope({
  template,
  stack: { account: '111111111111', region: 'eu-west-1', name: 'stack', id: 'arn:stack', notificationArns: [] },
  parameters: { P: 'p', L: ['a', 'b'] },
  resources: { reference: (id) => `id-${id}`, attribute: (id, name) => `${id}/${name}` },
  exported: (name) => (name === 'known' ? 'value' : undefined),
  stackOutputs: { '\neu-west-1\nother\nOut': 'elsewhere' },
  zones: (region) => [`${region}a`, `${region}b`],
});
const of = (value: unknown): unknown => evaluate(value as Json, scope);

describe('functions', () => {
  it.each<[string, unknown, unknown]>([
    ['Ref', [{ Ref: 'P' }, { Ref: 'L' }, { Ref: 'R' }, { Ref: 'AWS::Region' }, { Ref: 'AWS::NoValue' }], ['p', ['a', 'b'], 'id-R', 'eu-west-1']],
    ['GetAtt', [{ 'Fn::GetAtt': ['R', 'Arn'] }, { 'Fn::GetAtt': 'R.A.B' }, { 'Fn::GetAtt': ['R', { Ref: 'P' }] }], ['R/Arn', 'R/A.B', 'R/p']],
    ['Sub', [{ 'Fn::Sub': '${P}-${R}-${R.Arn}-${!Lit}-${AWS::StackName}' }, { 'Fn::Sub': ['${v}${L}', { v: { Ref: 'P' } }] }], ['p-id-R-R/Arn-${Lit}-stack', 'pa,b']],
    ['Join', [{ 'Fn::Join': ['-', ['a', { Ref: 'AWS::NoValue' }, { Ref: 'P' }]] }, { 'Fn::Join': ['_', { 'Fn::Split': ['-', 'x-y'] }] }, { 'Fn::Join': ['', { Ref: 'L' }] }], ['a-p', 'x_y', 'ab']],
    ['Select', [{ 'Fn::Select': ['1', { Ref: 'L' }] }, { 'Fn::Select': [0, { 'Fn::Split': ['|', 'q|r'] }] }], ['b', 'q']],
    ['FindInMap', [{ 'Fn::FindInMap': ['M', 'a', 'x'] }, { 'Fn::FindInMap': ['M', 'z', 'x', { DefaultValue: { Ref: 'P' } }] }, { 'Fn::FindInMap': ['M', 'a', 'list'] }], ['ax', 'p', ['1', '2']]],
    ['If', [{ 'Fn::If': ['Yes', 'y', { Ref: 'Off' }] }, { 'Fn::If': ['No', 'y', { Ref: 'AWS::NoValue' }] }, { 'Fn::If': ['Both', 1, 2] }], ['y', 1]],
    ['GetAZs', { 'Fn::GetAZs': '' }, ['eu-west-1a', 'eu-west-1b']],
    ['Base64', { 'Fn::Base64': { Ref: 'P' } }, 'cA=='],
    ['ImportValue', { 'Fn::ImportValue': { 'Fn::Join': ['', ['kno', 'wn']] } }, 'value'],
    ['GetStackOutput', { 'Fn::GetStackOutput': { StackName: 'other', OutputName: 'Out' } }, 'elsewhere'],
    ['ToJsonString and Length', { 'Fn::ToJsonString': { n: { 'Fn::Length': { Ref: 'L' } } } }, '{"n":2}'],
    ['keys of policies', { Condition: { StringEquals: { a: 'b' } } }, { Condition: { StringEquals: { a: 'b' } } }],
  ])('%s', (_, value, expected) => {
    expect(of(value)).toEqual(expected);
  });

  it('let members without value disappear', () => {
    expect(of({ a: { Ref: 'AWS::NoValue' }, b: [{ Ref: 'AWS::NoValue' }] })).toEqual({ b: [] });
    expect(of({ Ref: 'AWS::NoValue' })).toBe(NO_VALUE);
  });

  it.each<[unknown, string]>([
    [{ 'Fn::Select': [9, ['a']] }, 'Template error: Fn::Select requires a list argument with two elements: an integer index and a list'],
    [{ 'Fn::Select': [9, { Ref: 'L' }] }, 'Template error: Fn::Select cannot select nonexistent value at index 9'],
    [{ 'Fn::FindInMap': ['M', 'z', 'x'] }, 'Template error: Unable to get mapping for M::z::x'],
    [{ 'Fn::FindInMap': ['Z', 'z', 'x'] }, "Template error: Mapping named 'Z' is not present in the 'Mappings' section of template."],
    [{ 'Fn::Join': ['', 'a'] }, 'Template error: every Fn::Join object requires two parameters'],
    [{ 'Fn::ImportValue': 'unknown' }, 'No export named unknown found.'],
    [{ 'Fn::Nope': 1 }, 'Template error: Encountered unsupported function: Fn::Nope'],
    [{ Ref: 'Off' }, 'Unresolved resource dependencies [Off] in the Resources block of the template'],
    [{ 'Fn::Sub': '${a b}' }, 'Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, periods, and colons'],
  ])('%j is refused', (value, message) => {
    expect(() => of(value)).toThrow(message);
  });
});

describe('Fn::Cidr', () => {
  it.each<[Json[], string[]]>([
    [['10.0.0.0/16', 3, 8], ['10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/24']],
    [['192.168.0.0/24', '2', '5'], ['192.168.0.0/27', '192.168.0.32/27']],
    [['2001:db8::/56', 2, 64], ['2001:db8::/64', '2001:db8:0:1::/64']],
  ])('%j', (argument, blocks) => expect(cidrBlocks(argument)).toEqual(blocks));

  it('refuses blocks that do not fit', () => expect(() => cidrBlocks(['10.0.0.0/24', 5, 6])).toThrow('too small'));
});

describe('dynamic references', () => {
  const client = {
    call: async (service: string, _: string, input: Record<string, unknown>) =>
      (service === 'ssm' ? { Parameter: { Value: `ssm(${String(input['Name'])},${String(input['WithDecryption'])})`, Type: 'String' } } : { SecretString: JSON.stringify({ k: `secret(${String(input['SecretId'])})` }) }) as never,
    in: () => client,
  };

  it('are read in all their parts', async () => {
    expect(await resolveDynamicReferences({ a: ['x{{resolve:ssm:/p:3}}y', '{{resolve:ssm-secure:/s}}'], b: '{{resolve:secretsmanager:arn:aws:secretsmanager:eu-west-1:111111111111:secret:n-abc:SecretString:k::}}' }, client)).toEqual({
      a: ['xssm(/p:3,false)y', 'ssm(/s,true)'],
      b: 'secret(arn:aws:secretsmanager:eu-west-1:111111111111:secret:n-abc)',
    });
  });
});
