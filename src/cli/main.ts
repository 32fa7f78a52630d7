#!/usr/bin/env node
import { Command, CommanderError, Option } from 'commander';
import { version } from '../version.js';
import { addApproveCommands } from './approve.js';
import { addBootstrapCommand } from './bootstrap.js';
import { addCompletionCommand } from './completion.js';
import { addCloudCommands } from './cloud/commands.js';
import { addDeployCommand } from './deploy.js';
import { addDestroyCommand } from './destroy.js';
import { addDiffCommand } from './diff.js';
import { addDoctorCommand } from './doctor.js';
import { addExecutionCommands } from './executions.js';
import { addExplainCommand } from './explain.js';
import { addInitCommand } from './init/init.js';
import { addPlanCommand } from './plan.js';
import { addPruneCommand } from './prune.js';
import { addRunCommand } from './run.js';
import { addValidateCommand } from './validate.js';
import { addWhereCommand } from './where.js';
import { addWorldOptions } from './world.js';
import { printError, terminal, type GlobalOptions } from './terminal.js';

/** Exit code of a wrong command line (reference: docs/exit-codes.md). */
const USAGE = 2;

// The SDK's notice about coming versions of Node is not for the user of this program.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

/** Exit code where whoever read the output closed it, as `| head` does: what a shell gives SIGPIPE. */
const CLOSED = 141;

for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(CLOSED);
  });

async function main(argv: readonly string[]): Promise<number> {
  const program = new Command('flotilla')
    .description('Delivery pipelines as code for many AWS accounts and regions')
    .version(version, '-V, --version')
    .option('--local', 'act on the local cloud, starting it where it does not run')
    .addOption(new Option('--output <format>', 'how data is written').choices(['text', 'json']).default('text'))
    .option('--color', 'colours, also where there is no terminal')
    .option('--no-color', 'no colours, as NO_COLOR has it')
    .option('-q, --quiet', 'no messages on stderr')
    .showSuggestionAfterError()
    .showHelpAfterError('(flotilla --help lists the commands)')
    .exitOverride();
  addWorldOptions(program);
  addInitCommand(program);
  addValidateCommand(program);
  addPlanCommand(program);
  addExplainCommand(program);
  addRunCommand(program);
  addWhereCommand(program);
  addApproveCommands(program);
  addBootstrapCommand(program);
  addDoctorCommand(program);
  addDeployCommand(program);
  addDiffCommand(program);
  addPruneCommand(program);
  addDestroyCommand(program);
  addExecutionCommands(program);
  addCloudCommands(program);
  addCompletionCommand(program);
  try {
    await program.parseAsync([...argv]);
    // A command that ended otherwise than well has said so by now.
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    return printError(error, terminal(program.opts<GlobalOptions>()));
  }
}

process.exitCode = await main(process.argv);
