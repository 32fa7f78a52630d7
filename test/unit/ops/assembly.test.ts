import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readAssembly } from '../../../src/ops/run/assembly.js';

test('secrets of a pipeline are found by name and within ARNs that are joined', () => {
  const directory = mkdtempSync(join(tmpdir(), 'flotilla-assembly-'));
  try {
    const tokens = ['{{resolve:secretsmanager:by-name:SecretString:::}}', { 'Fn::Join': ['', ['{{resolve:secretsmanager:arn:', { Ref: 'AWS::Partition' }, ':secretsmanager:eu-west-1:999999999999:secret:team/by-arn:SecretString:::}}']] }];
    writeFileSync(join(directory, 'manifest.json'), JSON.stringify({ artifacts: { Pipeline: { type: 'aws:cloudformation:stack', environment: 'aws://999999999999/eu-west-1', properties: { templateFile: 'p.json' } } } }));
    writeFileSync(join(directory, 'p.json'), JSON.stringify({ Resources: { P: { Type: 'AWS::CodePipeline::Pipeline', Properties: { Stages: [], tokens } } } }));
    expect(readAssembly(directory, { account: '999999999999', region: 'eu-west-1' }).pipelines[0]!.secrets).toEqual(['by-name', 'team/by-arn']);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('a source that another account’s role reads lies in that account, and in the region of its action', () => {
  const directory = mkdtempSync(join(tmpdir(), 'flotilla-assembly-'));
  try {
    const source = (more: object): object => ({ ActionTypeId: { Category: 'Source', Provider: 'CodeCommit' }, Configuration: { RepositoryName: 'app', BranchName: 'main' }, ...more });
    const joined = { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':iam::111111111111:role/pipeline-codecommit']] };
    const Actions = [source({ RoleArn: joined }), source({ RoleArn: 'arn:aws:iam::222222222222:role/x', Region: 'us-east-1' }), source({ RoleArn: { 'Fn::GetAtt': ['Role', 'Arn'] } })];
    writeFileSync(join(directory, 'manifest.json'), JSON.stringify({ artifacts: { Pipeline: { type: 'aws:cloudformation:stack', environment: 'aws://999999999999/eu-west-1', properties: { templateFile: 'p.json' } } } }));
    writeFileSync(join(directory, 'p.json'), JSON.stringify({ Resources: { P: { Type: 'AWS::CodePipeline::Pipeline', Properties: { Stages: [{ Name: 'Source', Actions }] } } } }));
    const read = { provider: 'CodeCommit', configuration: { RepositoryName: 'app', BranchName: 'main' } };
    expect(readAssembly(directory, { account: '999999999999', region: 'eu-west-1' }).pipelines[0]!.sources).toEqual([{ ...read, account: '111111111111' }, { ...read, account: '222222222222', region: 'us-east-1' }, read]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
