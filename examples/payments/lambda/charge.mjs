/** Accepts a payment of a positive amount in whole cents. */
export function charge({ amount, currency = 'EUR' }) {
  if (!Number.isInteger(amount) || amount <= 0) return { accepted: false, reason: 'amount must be a positive number of cents' };
  return { accepted: true, amount, currency };
}
