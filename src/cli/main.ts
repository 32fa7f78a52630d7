#!/usr/bin/env node
import { CommanderError } from 'commander';
import { commandLine } from './command-line.js';
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
  const program = commandLine();
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
