const books = new Map([
  ['1', { id: '1', title: 'Middlemarch' }],
  ['2', { id: '2', title: 'The Rings of Saturn' }],
]);

/** API Gateway's proxy event in, its answer out. */
export async function handler(event) {
  const id = event.pathParameters?.id;
  if (id === undefined) return answer(200, [...books.values()]);
  const book = books.get(id);
  return book ? answer(200, book) : answer(404, { error: `no book ${id}` });
}

function answer(statusCode, body) {
  return { statusCode, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
