import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import assert from 'node:assert/strict';
import test from 'node:test';
import { GreeterStack } from '../lib/greeter-stack.js';

test('the function greets with what its environment says', async () => {
  process.env['GREETING'] = 'Good morning';
  const { handler } = await import('../src/index.mjs' as string);
  assert.deepEqual(await handler({ name: 'Ada' }), { message: 'Good morning, Ada' });
  assert.deepEqual(await handler(), { message: 'Good morning, world' });
});

test('each environment greets in its own words', () => {
  const stack = new GreeterStack(new App(), 'Greeter', { greeting: 'Hello from test' });
  Template.fromStack(stack).hasResourceProperties('AWS::Lambda::Function', { Environment: { Variables: { GREETING: 'Hello from test' } } });
});
