import { cpSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { preflight } from '../ops/preflight.js';
import { protect } from '../ops/protect.js';
import { readAssembly, type AssemblyModel } from '../ops/run/assembly.js';
import { Sessions } from '../ops/sessions.js';
import { startOnPaths } from '../ops/start-on-paths.js';
import { FlotillaError } from '../shared/errors.js';
import { judgeArtifact } from './artifact-size.js';
import { permissions } from './permissions.js';

/**
 * The program of a generated pipeline's own steps. It travels in the cloud assembly, needs nothing but Node, and acts with the credentials
 * of the build it runs in.
 */
const COMMANDS: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  /** preflight ASSEMBLY PIPELINE_STACK [templates-only], the last where nothing is deployed from the assembly itself */
  async preflight([directory = '.', pipelineStack = '', templatesOnly]) {
    const { pairs, findings } = await preflight(assemblyOf(directory), pipelineStack, new Sessions(region(), 'flotilla-preflight'));
    for (const { account, region: place, qualifier, version, trust } of pairs) say(`${version === undefined ? '✖' : '✓'} ${account}/${place}  ${qualifier}  bootstrap ${version ?? '–'}  trust ${trust}`);
    for (const { code, what, why, fix } of findings) say(`✖ ${code} ${what}\n  why  ${why}\n  fix  ${fix}`);
    const artifact = templatesOnly === undefined ? judgeArtifact(directory) : undefined;
    if (artifact) say(artifact.text);
    const found = findings.length + (artifact?.fits === false ? 1 : 0);
    say(found === 0 ? `preflight: ${pairs.length} of ${pairs.length} targets are ready` : `preflight: ${found} findings; nothing was changed`);
    return found === 0 ? 0 : 1;
  },

  /** protect STAGE…, in the assembly's folder */
  async protect(stages) {
    for (const stack of await protect(assemblyOf('.'), stages, new Sessions(region(), 'flotilla-protect'))) say(`✓ protected ${stack}`);
    return 0;
  },

  /** permissions STAGE…, in the assembly's folder */
  async permissions(stages) {
    return permissions(assemblyOf('.'), stages, new Sessions(region(), 'flotilla-permissions'), say);
  },

  /** trigger: asks what a push changed */
  async trigger() {
    const { PIPELINE = '', REPOSITORY = '', PATHS = '[]', BEFORE, AFTER = '', EVENT } = process.env;
    const execution = await startOnPaths({ pipeline: PIPELINE, repository: REPOSITORY, paths: JSON.parse(PATHS) as string[], before: BEFORE === '' ? undefined : BEFORE, after: AFTER, event: EVENT, region: region() });
    say(execution ? `started ${PIPELINE}: ${execution}` : `no path of ${PATHS} was changed; ${PIPELINE} is not started`);
    return 0;
  },

  /** templates ASSEMBLY FOLDER: copies what CloudFormation actions need, and nothing else */
  async templates([directory = '.', folder = '']) {
    const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => /\.template\.json(\.config\.json)?$|\.template\.json-[^/]*config[^/]*$|\.config\.json$/.test(name));
    for (const name of files) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      cpSync(join(directory, name), join(folder, name));
    }
    say(`copied ${files.length} templates`);
    return 0;
  },
};

function assemblyOf(directory: string): AssemblyModel {
  return readAssembly(directory, { account: '', region: region() });
}

function region(): string {
  return process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION'] ?? 'us-east-1';
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

// The SDK's notice about coming versions of Node says nothing to who reads a build's log.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

async function main([command = '', ...args]: readonly string[]): Promise<number> {
  const run = COMMANDS[command];
  try {
    if (!run) throw new FlotillaError('STP001', `unknown step '${command}'`, { why: `there are ${Object.keys(COMMANDS).join(', ')}`, exitCode: 2 });
    return await run(args);
  } catch (error) {
    process.stderr.write(`✖ ${error instanceof FlotillaError ? `${error.code} ${error.message}${error.why ? `\n  why  ${error.why}` : ''}${error.fix ? `\n  fix  ${error.fix}` : ''}` : error instanceof Error ? `${error.name}: ${error.message}` : String(error)}\n`);
    return 1;
  }
}

void main(process.argv.slice(2)).then((code) => (process.exitCode = code));
