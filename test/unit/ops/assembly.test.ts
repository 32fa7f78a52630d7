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
