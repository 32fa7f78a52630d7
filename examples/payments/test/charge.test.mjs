import assert from 'node:assert/strict';
import test from 'node:test';
import { charge } from '../lambda/charge.mjs';

test('a positive amount is accepted', () => {
  assert.deepEqual(charge({ amount: 1250 }), { accepted: true, amount: 1250, currency: 'EUR' });
});

test('zero and fractions are refused', () => {
  assert.equal(charge({ amount: 0 }).accepted, false);
  assert.equal(charge({ amount: 1.5 }).accepted, false);
});
