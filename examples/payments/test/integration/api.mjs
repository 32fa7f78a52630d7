// Runs against the deployed API: ApiUrl is the stack's output.
import assert from 'node:assert/strict';

const { ApiUrl } = process.env;
const response = await fetch(`${ApiUrl}payments`, { method: 'POST', body: JSON.stringify({ amount: 1250 }) });
assert.equal(response.status, 201);
assert.deepEqual(await response.json(), { accepted: true, amount: 1250, currency: 'EUR' });
console.log('a payment was accepted');
