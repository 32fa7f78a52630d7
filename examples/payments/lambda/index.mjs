import { charge } from './charge.mjs';

/** API Gateway's proxy event in, its answer out. */
export async function handler(event) {
  if (event.path === '/health') return answer(200, { status: 'ok', region: process.env.REGION_NAME });
  if (event.path === '/payments' && event.httpMethod === 'POST') {
    const result = charge(JSON.parse(event.body ?? '{}'));
    return answer(result.accepted ? 201 : 422, result);
  }
  return answer(404, { error: `nothing at ${event.path}` });
}

function answer(statusCode, body) {
  return { statusCode, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
