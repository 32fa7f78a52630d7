import { describe, expect, it } from 'vitest';
import { checkedTemplate } from '../../../src/local/cfn/template/load.js';
import { parseTemplateText } from '../../../src/local/cfn/template/parse.js';
import { resolveParameters } from '../../../src/local/cfn/template/parameters.js';
import type { Template } from '../../../src/local/cfn/template/model.js';
import { applyTransforms } from '../../../src/local/cfn/transform/transform.js';
import type { JsonObject } from '../../../src/local/cfn/json.js';

const read = (document: object): Template => checkedTemplate(document as JsonObject, document as JsonObject);
const topic = { Type: 'AWS::SNS::Topic' };

describe('template text', () => {
  it('reads YAML short forms as their long forms', () => {
    const text = ['Resources:', '  T:', '    Type: AWS::SNS::Topic', '    Properties:', '      TopicName: !Sub "${A}-x"', '      DisplayName: !GetAtt B.Outputs.C', '      Tags:', '        - !If [X, !Ref "AWS::NoValue", {Key: a, Value: !Join ["", [a, !Ref B]]}]', '      Version: 2012-10-17', '      On: yes'].join('\n');
    const document = parseTemplateText(text) as { Resources: { T: { Properties: object } } };
    expect(document.Resources.T.Properties).toEqual({
      TopicName: { 'Fn::Sub': '${A}-x' },
      DisplayName: { 'Fn::GetAtt': ['B', 'Outputs.C'] },
      Tags: [{ 'Fn::If': ['X', { Ref: 'AWS::NoValue' }, { Key: 'a', Value: { 'Fn::Join': ['', ['a', { Ref: 'B' }]] } }] }],
      Version: '2012-10-17',
      On: true,
    });
  });

  it.each([
    ['a: [', 'Template format error: YAML not well-formed. (line 1, column 5)'],
    ['a: 1\na: 2', 'Template format error: YAML not well-formed. (line 2, column 1)'],
    ['{"a" 1}', 'Template format error: JSON not well-formed. (line 1, column 6)'],
    ['- 1', 'Template format error: unsupported structure.'],
    ['a: &b 1\nc: *b', 'Template error: YAML aliases are not allowed in CloudFormation templates'],
    ['a:\n  b:', "[/a/b] 'null' values are not allowed in templates"],
    ['a: !Nope 1', 'Template format error: Unsupported tag: !Nope'],
  ])('refuses %j with its position', (text, message) => {
    expect(() => parseTemplateText(text)).toThrow(message);
  });

  it('refuses nesting that could exhaust the stack', () => {
    expect(() => parseTemplateText(`{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`)).toThrow('nested too deeply');
  });
});

describe('validation', () => {
  it.each<[string, object, string]>([
    ['no resources', {}, 'Template format error: At least one Resources member must be defined.'],
    ['an unknown section', { Resources: { T: topic }, Foo: 1 }, 'Invalid template property or properties [Foo]'],
    ['an unknown type', { Resources: { T: { Type: 'AWS::No::Such' }, U: { Type: 'AWS::No::Other' } } }, 'Template format error: Unrecognized resource types: [AWS::No::Such, AWS::No::Other]'],
    ['an unresolved reference', { Resources: { T: { ...topic, Properties: { TopicName: { Ref: 'X' }, DisplayName: { 'Fn::Sub': '${Y}' } } } } }, 'Template format error: Unresolved resource dependencies [X, Y] in the Resources block of the template'],
    ['an unresolved output', { Resources: { T: topic }, Outputs: { O: { Value: { Ref: 'X' } } } }, 'Template format error: Unresolved resource dependencies [X] in the Outputs block of the template'],
    ['an attribute of nothing', { Resources: { T: { ...topic, Properties: { TopicName: { 'Fn::GetAtt': ['X', 'Arn'] } } } } }, 'Template error: instance of Fn::GetAtt references undefined resource X'],
    ['a circle', { Resources: { A: { ...topic, Properties: { DisplayName: { Ref: 'B' } } }, B: { ...topic, Properties: { DisplayName: { 'Fn::GetAtt': ['C', 'TopicArn'] } } }, C: { ...topic, DependsOn: 'A' } } }, 'Circular dependency between resources: [A, B, C]'],
    ['a resource in a condition', { Conditions: { C: { 'Fn::Equals': [{ Ref: 'T' }, 'a'] } }, Resources: { T: topic } }, 'Template format error: Unresolved dependencies [T]. Cannot reference resources in the Conditions block of the template'],
    ['an undeclared condition', { Resources: { T: { ...topic, Condition: 'C' } } }, 'Template format error: Unresolved condition dependency C in the Resources block of the template'],
    ['too many resources', { Resources: Object.fromEntries(Array.from({ length: 501 }, (_, i) => [`T${i}`, topic])) }, 'Template format error: Number of resources, 501, is greater than maximum allowed, 500'],
    ['a bad logical ID', { Resources: { 'T-1': topic } }, 'Template format error: Resource name T-1 is non alphanumeric.'],
    ['an unknown parameter type', { Parameters: { P: { Type: 'Text' } }, Resources: { T: topic } }, 'Template format error: Unrecognized parameter type: Text'],
  ])('refuses %s', (_, document, message) => {
    expect(() => read(document)).toThrow(message);
  });
});

describe('parameters', () => {
  const values = (parameters: object, inputs: { ParameterKey: string; ParameterValue?: string; UsePreviousValue?: boolean }[], stored: Record<string, string> = {}) =>
    resolveParameters(read({ Parameters: parameters, Resources: { T: topic } }), {
      inputs, previous: [{ key: 'P', value: 'before', resolved: undefined, noEcho: false }], fetch: async (names) => new Map(names.filter((name) => name in stored).map((name) => [name, stored[name]!])),
    });

  it.each<[string, object, { ParameterKey: string; ParameterValue?: string }[], string]>([
    ['without a value', { P: { Type: 'String' } }, [], 'Parameters: [P] must have values'],
    ['that is not declared', {}, [{ ParameterKey: 'X', ParameterValue: '1' }], 'Parameters: [X] do not exist in the template'],
    ['outside the allowed values', { P: { Type: 'String', AllowedValues: ['a'] } }, [{ ParameterKey: 'P', ParameterValue: 'b' }], "Parameter 'P' must be one of AllowedValues"],
    ['that does not match', { P: { Type: 'String', AllowedPattern: '[a-z]+' } }, [{ ParameterKey: 'P', ParameterValue: 'aB' }], "Parameter 'P' must match pattern [a-z]+"],
    ['whose constraint is described', { P: { Type: 'String', AllowedPattern: '[a-z]+', ConstraintDescription: 'small letters' } }, [{ ParameterKey: 'P', ParameterValue: 'B' }], 'Parameter P failed to satisfy constraint: small letters'],
    ['that is no number', { P: { Type: 'Number' } }, [{ ParameterKey: 'P', ParameterValue: 'x' }], "Parameter 'P' must be a number."],
    ['that the store lacks', { P: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/x' } }, [], 'Unable to fetch parameters [/x] from parameter store for this account.'],
  ])('refuses one %s', async (_, parameters, inputs, message) => {
    await expect(values(parameters, inputs)).rejects.toThrow(message);
  });

  it('takes previous and stored values', async () => {
    expect(await values({ P: { Type: 'String' } }, [{ ParameterKey: 'P', UsePreviousValue: true }])).toMatchObject([{ key: 'P', value: 'before' }]);
    expect(await values({ P: { Type: 'AWS::SSM::Parameter::Value<List<String>>', Default: '/x' } }, [], { '/x': 'a,b' })).toMatchObject([{ value: '/x', resolved: 'a,b' }]);
  });
});

describe('transforms', () => {
  const context = { parameters: { Names: ['a', 'b-c'] }, pseudo: { 'AWS::Region': 'eu-west-1' }, readObject: async () => 'Included:\n  Type: AWS::SNS::Topic\n' };

  it('unroll nested loops and compute what is known', async () => {
    const result = await applyTransforms(
      {
        Transform: 'AWS::LanguageExtensions',
        Resources: {
          'Fn::ForEach::Outer': ['Name', { Ref: 'Names' }, { 'T&{Name}': { Type: 'AWS::SNS::Topic', Properties: { TopicName: { 'Fn::Sub': '${Name}-${AWS::Region}' }, DisplayName: { 'Fn::Join': ['.', [{ Ref: 'Name' }, 'x']] } } } }],
          L: { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Value: { 'Fn::ToJsonString': { n: { 'Fn::Length': [1, 2, 3] } } } } },
        },
      },
      context,
    );
    expect(result).toEqual({
      Resources: {
        Ta: { Type: 'AWS::SNS::Topic', Properties: { TopicName: { 'Fn::Sub': 'a-${AWS::Region}' }, DisplayName: 'a.x' } },
        Tbc: { Type: 'AWS::SNS::Topic', Properties: { TopicName: { 'Fn::Sub': 'b-c-${AWS::Region}' }, DisplayName: 'b-c.x' } },
        L: { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Value: '{"n":3}' } },
      },
    });
  });

  it('include snippets and refuse the others by name', async () => {
    const included = await applyTransforms({ Resources: { 'Fn::Transform': { Name: 'AWS::Include', Parameters: { Location: 's3://b/k' } } } }, context);
    expect(included).toEqual({ Resources: { Included: { Type: 'AWS::SNS::Topic' } } });
    await expect(applyTransforms({ Transform: 'AWS::Serverless-2016-10-31', Resources: {} }, context)).rejects.toThrow('AWS::Serverless-2016-10-31');
    await expect(applyTransforms({ Transform: 'MyMacro', Resources: {} }, context)).rejects.toThrow('No transform named MyMacro found.');
  });
});
