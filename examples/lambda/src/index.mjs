/** Greets whoever the event names. */
export async function handler({ name = 'world' } = {}) {
  return { message: `${process.env.GREETING ?? 'Hello'}, ${name}` };
}
