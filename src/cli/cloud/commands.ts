import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { FlotillaError } from '../../shared/errors.js';
import { terminal, type GlobalOptions, type Terminal } from '../terminal.js';
import { connect, control, flotillaFolder, removeState, startCloudProcess, stopCloudProcess, type CloudConnection } from './connection.js';
import { cloudVariables, declareAccounts, parseAccount, type Account } from './profiles.js';

interface CloudOptions extends GlobalOptions {
  readonly dir?: string;
  readonly port?: string;
  readonly account?: string[];
}

/** `flotilla cloud …`: the local cloud as a process. */
export function addCloudCommands(program: Command): void {
  const cloud = program.command('cloud').description('the local cloud: start, stop, look inside');
  const command = (name: string, description: string): Command => cloud.command(name).description(description).option('--dir <folder>', 'folder of the state (default: the nearest .flotilla)');
  const collect = (value: string, before: string[] = []): string[] => [...before, value];

  command('start', 'start it, or say where it runs')
    .option('--port <number>', 'port on 127.0.0.1 (default: the one it had, or a free one)')
    .option('--account <name=id/region>', 'make an account known under a profile name; repeatable', collect)
    .action(run(start));
  command('stop', 'stop it; its state stays').action(run(stop));
  command('status', 'say whether it runs, and what is in it').action(run(status));
  command('env', 'print the environment that points AWS clients at it')
    .option('--account <name=id/region>', 'the account to use; made known when it is new', collect)
    .action(run(env));
  command('reset', 'remove all its state').action(run(reset));
  command('inbox', 'show the messages that would have left it: e-mail, Slack').action(run(inbox));
  command('dump', 'print its state as JSON').argument('[prefix...]', 'account, region, service, table …').action(run(dump));
  command('why', 'explain how a request was decided; without an ID, the latest denied one').argument('[request-id]').action(run(why));
  command('scp', 'attach service control policies to an account')
    .argument('<account>')
    .argument('[file...]', 'policy documents; none detaches all')
    .action(run(scp));
  command('organization', 'make an account the management account of an organization of all accounts').argument('<account>').action(run(organization));
}

type Action = (folder: string, options: CloudOptions, out: Terminal, args: unknown[]) => Promise<void>;

/** Adapts an action to commander, which calls with the arguments, the options and the command. */
function run(action: Action): (...given: unknown[]) => Promise<void> {
  return async (...given) => {
    const command = given.at(-1) as Command;
    const options = command.optsWithGlobals<CloudOptions>();
    await action(flotillaFolder(options.dir), options, terminal(options), given.slice(0, -2));
  };
}

async function start(folder: string, options: CloudOptions, out: Terminal): Promise<void> {
  const connection = await startCloudProcess(folder, { port: options.port === undefined ? undefined : Number(options.port) });
  const accounts = await declareAccounts(folder, connection, (options.account ?? []).map(parseAccount));
  out.data({ ...shown(connection), started: connection.started, accounts: accounts.map(({ id, name, region }) => ({ id, name, region })) });
  out.print(`${out.style('green', '✓')} local cloud ${connection.started ? 'started' : 'runs'} at ${connection.endpoint} (pid ${connection.pid})`);
  for (const account of accounts) out.print(`  ${account.name.padEnd(12)} ${account.id}  ${account.region}`);
  out.print(`  use it:  eval "$(flotilla cloud env)"`);
}

function shown(connection: CloudConnection): object {
  return { target: 'LOCAL', endpoint: connection.endpoint, pid: connection.pid, directory: connection.directory };
}

async function stop(folder: string, _options: CloudOptions, out: Terminal): Promise<void> {
  const stopped = await stopCloudProcess(folder);
  out.data({ stopped });
  out.print(stopped ? 'stopped; its state stays' : 'it was not running');
}

/** The running cloud, or an error that says how to start it. */
async function required(folder: string): Promise<CloudConnection> {
  const connection = await connect(folder);
  if (!connection) throw new FlotillaError('CLD009', 'no local cloud runs here', { where: folder, fix: 'flotilla cloud start', exitCode: 6 });
  return connection;
}

async function status(folder: string, _options: CloudOptions, out: Terminal): Promise<void> {
  const connection = await required(folder);
  const found = await control<{ endpoint: string; pid: number; uptime: number; memory: number; services: { name: string; operations: number }[]; accounts: { id: string; name: string; region: string }[] }>(connection, 'status');
  out.data({ ...shown(connection), ...found });
  out.print(`local cloud at ${found.endpoint}, pid ${found.pid}, up ${Math.round(found.uptime)} s, ${Math.round(found.memory / 1_048_576)} MB`);
  for (const account of found.accounts) out.print(`  ${account.name.padEnd(12)} ${account.id}  ${account.region}`);
  out.print(`  ${found.services.length} services: ${found.services.map(({ name, operations }) => `${name} ${operations}`).join(', ')}`);
}

async function env(folder: string, options: CloudOptions, out: Terminal): Promise<void> {
  const connection = await required(folder);
  const wanted = (options.account ?? []).map(parseAccount);
  const accounts = await declareAccounts(folder, connection, wanted.filter(({ name, id }) => name !== id || /^\d{12}$/.test(id)));
  const chosen = wanted[0] === undefined ? accounts[0] : accounts.find(({ name, id }) => name === wanted[0]!.name || id === wanted[0]!.id);
  if (wanted[0] !== undefined && !chosen) throw new FlotillaError('CLD011', `no account is known as '${wanted[0].name}'`, { fix: `one of: ${accounts.map(({ name }) => name).join(', ')}; or name it: --account ${wanted[0].name}=111111111111`, exitCode: 6 });
  const variables = cloudVariables(folder, connection, chosen as Account | undefined);
  out.data({ target: 'LOCAL', ...variables });
  out.print(['unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN', ...Object.entries(variables).map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'`)].join('\n'));
}

async function reset(folder: string, _options: CloudOptions, out: Terminal): Promise<void> {
  const was = await stopCloudProcess(folder);
  removeState(folder);
  out.data({ reset: true, stopped: was });
  out.print('all state of the local cloud was removed');
}

async function inbox(folder: string, _options: CloudOptions, out: Terminal): Promise<void> {
  const messages = await control<{ at: string; channel: string; to: string; from: string; subject?: string; body: string }[]>(await required(folder), 'inbox');
  out.data(messages);
  if (messages.length === 0) out.print('the inbox is empty');
  for (const message of messages) out.print(`${message.at}  ${message.channel} to ${message.to}${message.subject ? `: ${out.style('bold', message.subject)}` : ''}\n${message.body.replace(/^/gm, '    ')}\n`);
}

async function dump(folder: string, _options: CloudOptions, out: Terminal, args: unknown[]): Promise<void> {
  const entries = await control<unknown[]>(await required(folder), 'dump', { prefix: args[0] ?? [] });
  out.data(entries);
  out.print(JSON.stringify(entries, null, 2));
}

async function why(folder: string, _options: CloudOptions, out: Terminal, args: unknown[]): Promise<void> {
  const requestId = args[0] as string | undefined;
  const found = await control<{ requestId: string; at: string; text: string } | null>(await required(folder), 'why', requestId === undefined ? {} : { requestId });
  if (!found) {
    throw new FlotillaError('CLD012', requestId === undefined ? 'no request was denied yet' : `no request ${requestId} is remembered`, {
      why: 'denied requests are kept, the last 200 of them; allowed ones for as long as the process runs, the last 1,000',
      exitCode: 6,
    });
  }
  out.data(found);
  out.print(`request ${found.requestId} at ${found.at}\n${found.text}`);
}

async function scp(folder: string, _options: CloudOptions, out: Terminal, args: unknown[]): Promise<void> {
  const [account, files] = args as [string, string[] | undefined];
  const policies = (files ?? []).map((file) => ({ name: file.replace(/^.*\//, '').replace(/\.json$/, ''), document: readFileSync(file, 'utf8') }));
  await control(await required(folder), 'scps', { account, policies });
  out.data({ account, policies: policies.map(({ name }) => name) });
  out.print(policies.length === 0 ? `no service control policy binds ${account} any more` : `${account} is bound by ${policies.map(({ name }) => name).join(', ')}`);
}

async function organization(folder: string, _options: CloudOptions, out: Terminal, args: unknown[]): Promise<void> {
  const made = await control<{ id: string; management: string }>(await required(folder), 'organization', { management: args[0] });
  out.data(made);
  out.print(`${made.management} is the management account of ${made.id}; no service control policy binds it`);
}
