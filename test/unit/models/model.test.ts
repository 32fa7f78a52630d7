import { describe, expect, it } from 'vitest';
import { loadModel, modelNames, modelsOfQueryVersion, modelsOfTarget, modelsSigningAs } from '../../../src/local/models/model.js';

const names = (heads: readonly { name: string }[]): string[] => heads.map(({ name }) => name);

describe('API models', () => {
  it('are found by name, or not at all', () => {
    expect(modelNames()).toEqual(expect.arrayContaining(['s3', 'iam', 'codepipeline', 'codestar-connections']));
    expect(loadModel('s4')).toBeUndefined();
    expect(loadModel('')).toBeUndefined();
    expect(loadModel('s3')).toBe(loadModel('s3'));
  });

  it('carry operations, shapes and constraints', () => {
    const input = loadModel('iam')!.operation('CreateRole')!.input!;
    expect(input.required).toEqual(['RoleName', 'AssumeRolePolicyDocument']);
    expect(input.members.get('RoleName')!.shape).toMatchObject({ type: 'string', min: 1, max: 64, pattern: '[\\w+=,.@-]+' });
  });

  it('find errors by shape and by code', () => {
    const iam = loadModel('iam')!;
    expect(iam.error('NoSuchEntity')).toBe(iam.error('NoSuchEntityException'));
    expect(loadModel('sqs')!.error('AWS.SimpleQueueService.NonExistentQueue')!.name).toBe('QueueDoesNotExist');
  });

  it('are found by the whole of a target, as botocore sends it, and by its last name, as the SDK for JavaScript does', () => {
    expect(names(modelsOfTarget('com.amazonaws.codestar.connections.CodeStar_connections_20191201'))).toEqual(['codestar-connections']);
    expect(names(modelsOfTarget('CodeStar_connections_20191201'))).toEqual(['codestar-connections']);
    expect([modelsOfTarget('connections_20191201'), modelsOfTarget('')]).toEqual([[], []]);
  });

  it('are told apart by signing name, target and version', () => {
    expect(names(modelsSigningAs('s3'))).toEqual(['s3', 's3control']);
    expect(names(modelsSigningAs('es')).sort()).toEqual(['es', 'opensearch']);
    expect(names(modelsSigningAs('monitoring'))).toContain('cloudwatch');
    expect(names(modelsOfTarget('TrentService'))).toEqual(['kms']);
    expect(names(modelsOfQueryVersion('2011-06-15'))).toContain('sts');
    expect(modelsSigningAs('nothing')).toEqual([]);
  });
});
