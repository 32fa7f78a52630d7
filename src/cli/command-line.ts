import { Command, Option } from 'commander';
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

/** Every command and flag that there is. */
export function commandLine(): Command {
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
  return program;
}
