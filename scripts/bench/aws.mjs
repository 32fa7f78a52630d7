// The client side of the benchmarks: requests over kept-alive connections, signed by the few lines below. An SDK's own middleware costs
// more than the requests measured here.
import { createHash, createHmac } from 'node:crypto';
import { Agent, request } from 'node:http';

const sha = (data) => createHash('sha256').update(data).digest('hex');
const hmac = (key, text) => createHmac('sha256', key).update(text).digest();
const EMPTY = sha('');

/** A client of one endpoint for one account: `call(service, region, …)` resolves to `{ status, body }`. */
export function client(endpoint, { accessKeyId, secretAccessKey }, { connections = 1 } = {}) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections, noDelay: true });
  const { hostname, port, host } = new URL(endpoint);
  const keys = new Map();

  const keyOf = (date, region, service) => {
    const name = `${date}/${region}/${service}`;
    if (!keys.has(name)) keys.set(name, [date, region, service, 'aws4_request'].reduce(hmac, `AWS4${secretAccessKey}`));
    return keys.get(name);
  };
  const sign = (method, path, query, headers, payload, service, region) => {
    const timestamp = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
    const all = { ...headers, host, 'x-amz-date': timestamp, ...(service === 's3' ? { 'x-amz-content-sha256': payload } : {}) };
    const names = Object.keys(all).sort();
    const scope = `${timestamp.slice(0, 8)}/${region}/${service}/aws4_request`;
    const canonical = [method, path, query, ...names.map((name) => `${name}:${all[name]}`), '', names.join(';'), payload].join('\n');
    const signature = hmac(keyOf(timestamp.slice(0, 8), region, service), `AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n${sha(canonical)}`).toString('hex');
    return { ...all, authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}` };
  };
  const send = (method, path, headers, body) =>
    new Promise((resolve, reject) => {
      const sent = request({ agent, hostname, port, method, path, headers: { ...headers, 'content-length': body?.length ?? 0 } }, (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () => resolve({ status: response.statusCode, body: Buffer.concat(chunks) }));
        response.on('error', reject);
      });
      sent.on('error', reject);
      sent.end(body);
    });
  const succeed = async (what, answer) => {
    const { status, body } = await answer;
    if (status >= 300) throw new Error(`${what}: ${status} ${body.toString().slice(0, 500)}`);
    return body;
  };

  return {
    send,
    /** An operation of a Query service (STS, CloudFormation, IAM): the XML it answers. */
    async query(service, region, action, parameters = {}, version = VERSIONS[service]) {
      const body = new URLSearchParams({ Action: action, Version: version, ...parameters }).toString();
      const headers = sign('POST', '/', '', { 'content-type': 'application/x-www-form-urlencoded' }, sha(body), service, region);
      return (await succeed(`${service}:${action}`, send('POST', '/', headers, Buffer.from(body)))).toString();
    },
    /** An operation of a JSON 1.1 service, by its target prefix. */
    async json(service, region, target, input = {}) {
      const body = JSON.stringify(input);
      const headers = sign('POST', '/', '', { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target }, sha(body), service, region);
      return JSON.parse((await succeed(target, send('POST', '/', headers, Buffer.from(body)))).toString() || '{}');
    },
    /** S3 in path style; `payload` is the body's hash, where the caller knows it. */
    async s3(method, region, path, body, payload = body ? sha(body) : EMPTY, query = '') {
      const headers = sign(method, path, query, {}, payload, 's3', region);
      return succeed(`s3 ${method} ${path}`, send(method, query ? `${path}?${query}` : path, headers, body));
    },
    close: () => agent.destroy(),
  };
}

const VERSIONS = { sts: '2011-06-15', cloudformation: '2010-05-15', iam: '2010-05-08' };

/** Text of the first XML element of this name. */
export const element = (xml, name) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];

/** CloudFormation's view of one stack: starts operations and waits until they have ended. */
export function stacks(api, region) {
  const call = (action, parameters) => api.query('cloudformation', region, action, parameters);
  const status = async (name) => element(await call('DescribeStacks', { StackName: name }), 'StackStatus');
  const ended = async (name, wanted, pause) => {
    for (;;) {
      const now = await status(name);
      if (now === wanted) return;
      if (!/_IN_PROGRESS$/.test(now)) throw new Error(`${name} is ${now}: ${(await call('DescribeStackEvents', { StackName: name })).match(/<ResourceStatusReason>[^<]*/g)?.slice(-5).join('; ')}`);
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  };
  const given = (name, template, capabilities) => ({
    StackName: name,
    ...(template.url ? { TemplateURL: template.url } : { TemplateBody: template.body }),
    ...(capabilities ? { 'Capabilities.member.1': 'CAPABILITY_NAMED_IAM' } : {}),
  });
  return {
    async create(name, template, pause = 10) {
      const id = element(await call('CreateStack', given(name, template, true)), 'StackId');
      await ended(name, 'CREATE_COMPLETE', pause);
      return id;
    },
    async update(name, template, pause = 10) {
      await call('UpdateStack', given(name, template, true));
      await ended(name, 'UPDATE_COMPLETE', pause);
    },
    async delete(id, pause = 10) {
      await call('DeleteStack', { StackName: id });
      await ended(id, 'DELETE_COMPLETE', pause);
    },
  };
}
