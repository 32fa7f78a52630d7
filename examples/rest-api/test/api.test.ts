import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import assert from 'node:assert/strict';
import test from 'node:test';
import { ApiStack } from '../lib/api-stack.js';

const { handler } = await import('../src/index.mjs' as string);

test('books are listed, and read one by one', async () => {
  assert.equal(JSON.parse((await handler({})).body).length, 2);
  assert.equal(JSON.parse((await handler({ pathParameters: { id: '1' } })).body).title, 'Middlemarch');
  assert.equal((await handler({ pathParameters: { id: '9' } })).statusCode, 404);
});

test('each environment has its own throttle', () => {
  const stack = new ApiStack(new App(), 'Api', { throttle: 10 });
  Template.fromStack(stack).hasResourceProperties('AWS::ApiGateway::Stage', { MethodSettings: [{ ThrottlingRateLimit: 10, ThrottlingBurstLimit: 20 }] });
});
