import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { echoServer } from './echo.js';

const installed = spawnSync('python3', ['-c', 'import boto3']).status === 0;

/** Every operation of these services, called with every member, answered with every member, and one error each. */
const SERVICES = [
  'sts', 'iam', 's3', 'ssm', 'kms', 'ecr', 'cloudformation', 'sns', 'sqs', 'secretsmanager', 'logs', 'codepipeline', 'codebuild', 'codecommit', 'codeconnections', 'codestar-connections',
  'events', 'lambda', 'apigateway', 'dynamodb', 'cloudwatch', 'codestar-notifications', 'chatbot', 'route53', 'ec2',
];

it.skipIf(!installed)('boto3 and the wire see the same values, both ways', { timeout: 120_000 }, async () => {
  const { server, endpoint } = await echoServer();
  try {
    const script = fileURLToPath(new URL('./boto3_round_trip.py', import.meta.url));
    const client = spawn('python3', [script, endpoint, ...SERVICES], { env: { PATH: process.env['PATH'], HOME: process.env['HOME'], AWS_EC2_METADATA_DISABLED: 'true' } });
    let output = '';
    let errors = '';
    client.stdout.on('data', (chunk) => (output += String(chunk)));
    client.stderr.on('data', (chunk) => (errors += String(chunk)));
    await new Promise((resolve) => client.on('close', resolve));
    expect(errors).toBe('');
    const { checked, problems } = JSON.parse(output) as { checked: number; problems: string[] };
    expect(problems).toEqual([]);
    expect(checked).toBeGreaterThan(1500);
  } finally {
    server.close();
  }
});
