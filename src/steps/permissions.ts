import { CodePipelineClient, GetPipelineStateCommand, ListActionExecutionsCommand, PutApprovalResultCommand } from '@aws-sdk/client-codepipeline';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { setTimeout as delay } from 'node:timers/promises';
import { digestOf, permissionChanges, type StackBroadenings } from '../ops/permissions.js';
import type { AssemblyModel } from '../ops/run/assembly.js';
import type { Sessions } from '../ops/sessions.js';
import { FlotillaError } from '../shared/errors.js';

/** How long the approval beside this step may take to start, in seconds. Both stand in one run order, so it is there at once or never. */
const APPROVAL_STARTS_WITHIN = 300;

/**
 * Judges what a deployment of these stages would allow, prints it, and, where nothing is broadened, gives the approval that waits beside
 * this step. Where something is, the approval stays for a person and the topic hears what it is about.
 */
export async function permissions(assembly: AssemblyModel, stages: readonly string[], sessions: Sessions, say: (text: string) => void): Promise<number> {
  const { TOPIC, APPROVAL, PIPELINE = '', PIPELINE_STAGE = '', EXECUTION = '', AWS_REGION: region = 'us-east-1' } = process.env;
  const stacks = assembly.stacks.filter(({ stage }) => stage !== undefined && stages.includes(stage));
  const report = await permissionChanges(assembly, stacks, ({ lookupRoleArn, region: place }) => sessions.of(lookupRoleArn, place));
  const broadened = report.filter((stack) => stack.broadened.length > 0);
  const digest = digestOf(stacks).slice(0, 12);
  const lines = describe(broadened);
  say(broadened.length === 0 ? `no permission is broadened by ${stacks.length} stacks (templates ${digest})` : lines.join('\n'));
  if (broadened.length > 0) {
    if (TOPIC) await new SNSClient({ region }).send(new PublishCommand({ TopicArn: TOPIC, Subject: `${PIPELINE}: ${PIPELINE_STAGE} broadens permissions`.slice(0, 100), Message: [`Execution ${EXECUTION}, templates ${digest}:`, ...lines].join('\n') }));
    if (APPROVAL) say(`${PIPELINE_STAGE}/${APPROVAL} waits for a person: flotilla approve ${PIPELINE_STAGE}/${APPROVAL}`);
  } else if (APPROVAL) {
    await approve(new CodePipelineClient({ region }), { pipelineName: PIPELINE, stageName: PIPELINE_STAGE, actionName: APPROVAL }, EXECUTION, `No permission is broadened (templates ${digest})`);
    say(`${PIPELINE_STAGE}/${APPROVAL} is decided`);
  }
  return 0;
}

function describe(report: readonly StackBroadenings[]): string[] {
  return report.flatMap(({ stack, account, region, broadened }) => [`${account}/${region}/${stack}`, ...broadened.map(({ rank, witness, source }) => `  ${rank === 'other' ? '+' : `! ${rank}:`} ${witness}  [${source}]`)]);
}

interface Gate {
  readonly pipelineName: string;
  readonly stageName: string;
  readonly actionName: string;
}

async function approve(client: CodePipelineClient, gate: Gate, execution: string, summary: string): Promise<void> {
  for (const until = Date.now() + APPROVAL_STARTS_WITHIN * 1000; Date.now() < until; await delay(1000)) {
    const token = await tokenOf(client, gate, execution);
    if (token === 'decided') return;
    if (token === undefined) continue;
    await client.send(new PutApprovalResultCommand({ ...gate, token, result: { status: 'Approved', summary } }));
    return;
  }
  throw new FlotillaError('PRM002', `the approval ${gate.stageName}/${gate.actionName} of execution ${execution} did not start within ${APPROVAL_STARTS_WITHIN} s`, { why: 'it stands beside this check in the pipeline and waits for it', fix: 'retry the stage; approve by hand if that does not help' });
}

/**
 * The approval's token in this execution; `decided` where somebody was quicker. In PARALLEL mode the pipeline's state shows another
 * execution's; there the action's external ID is the token.
 */
async function tokenOf(client: CodePipelineClient, { pipelineName, stageName, actionName }: Gate, execution: string): Promise<string | undefined> {
  const { stageStates = [] } = await client.send(new GetPipelineStateCommand({ name: pipelineName }));
  const stage = stageStates.find((state) => state.stageName === stageName);
  const state = stage?.actionStates?.find((action) => action.actionName === actionName)?.latestExecution;
  if (state?.status === 'InProgress' && state.token && stage?.latestExecution?.pipelineExecutionId === execution) return state.token;
  const { actionExecutionDetails = [] } = await client.send(new ListActionExecutionsCommand({ pipelineName, filter: { pipelineExecutionId: execution } }));
  const latest = actionExecutionDetails.find((detail) => detail.stageName === stageName && detail.actionName === actionName);
  return latest === undefined || latest.status === 'InProgress' ? latest?.output?.executionResult?.externalExecutionId : 'decided';
}
