import { GetRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { DEFAULT_QUALIFIER } from '../shared/bootstrap.js';
import { each, limiter } from './concurrency.js';
import { stagesOfPipeline, type AssemblyModel, type AssemblyStack } from './run/assembly.js';
import type { Sessions } from './sessions.js';

/** What stands between a pipeline and one of its targets. */
export interface PreflightFinding {
  readonly code: 'PRE001' | 'PRE002' | 'PRE003' | 'PRE004';
  readonly account: string;
  readonly region: string;
  readonly what: string;
  readonly why: string;
  readonly fix: string;
}

export interface PreflightReport {
  /** Pairs that were looked at, once for each qualifier. */
  readonly pairs: readonly { readonly account: string; readonly region: string; readonly qualifier: string; readonly version: number | undefined; readonly trust: 'yes' | 'no' | 'unknown' }[];
  readonly findings: readonly PreflightFinding[];
}

/**
 * Looks at the bootstrap of everything a pipeline deploys to, through each target's lookup role and read-only: is it there, is it new
 * enough for the assembly, does its deploy role trust the pipeline's account. Changes nothing.
 */
export async function preflight(assembly: AssemblyModel, pipelineStack: string, sessions: Sessions): Promise<PreflightReport> {
  const stages = stagesOfPipeline(assembly, pipelineStack);
  const places = new Map(assembly.stacks.filter(({ stage }) => stage !== undefined && stages.includes(stage)).map((stack) => [`${stack.account}/${stack.region}/${stack.qualifier}`, stack]));
  const account = await sessions.account();
  const looked = await each(limiter(), [...places.values()], (stack) => look(stack, account, sessions));
  return { pairs: looked.map(({ pair }) => pair), findings: looked.flatMap(({ findings }) => findings) };
}

async function look(stack: AssemblyStack, pipelineAccount: string, sessions: Sessions): Promise<{ pair: PreflightReport['pairs'][number]; findings: PreflightFinding[] }> {
  const { account, region, qualifier } = stack;
  const pair = { account, region, qualifier, version: undefined, trust: 'unknown' as const };
  const place = { account, region };
  const bootstrap = bootstrapCommand(stack, pipelineAccount);
  let settings;
  try {
    settings = await sessions.of(stack.lookupRoleArn, region);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { pair, findings: [{ ...place, code: 'PRE001', what: `${account}/${region} is not bootstrapped with qualifier ${qualifier}, or does not trust ${pipelineAccount}`, why, fix: bootstrap }] };
  }
  const version = await bootstrapVersion(new SSMClient(settings), qualifier);
  if (typeof version === 'string') return { pair, findings: [{ ...place, code: 'PRE002', what: `the bootstrap version of ${account}/${region} can't be read`, why: version, fix: bootstrap }] };
  const findings: PreflightFinding[] = [];
  if (version < stack.requiredVersion) findings.push({ ...place, code: 'PRE003', what: `${account}/${region} is bootstrapped with version ${version}`, why: `the assembly needs version ${stack.requiredVersion}`, fix: bootstrap });
  const trust = await trusts(new IAMClient(settings), stack, pipelineAccount);
  if (trust === 'no') findings.push({ ...place, code: 'PRE004', what: `${account}/${region} does not trust ${pipelineAccount} to deploy`, why: `the trust policy of ${stack.deployRoleArn} doesn't name it`, fix: bootstrap });
  return { pair: { ...pair, version, trust }, findings };
}

async function bootstrapVersion(client: SSMClient, qualifier: string): Promise<number | string> {
  try {
    const { Parameter } = await client.send(new GetParameterCommand({ Name: `/cdk-bootstrap/${qualifier}/version` }));
    return Number(Parameter?.Value ?? 0);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    client.destroy();
  }
}

/** Whether the deploy role's trust policy lets the account in; unknown where the lookup role may not read it. */
async function trusts(client: IAMClient, stack: AssemblyStack, account: string): Promise<'yes' | 'no' | 'unknown'> {
  if (account === stack.account) return 'yes';
  try {
    const { Role } = await client.send(new GetRoleCommand({ RoleName: stack.deployRoleArn.split('/').at(-1) }));
    const { Statement = [] } = JSON.parse(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? '{}')) as { Statement?: { Effect: string; Principal?: { AWS?: string | string[] } }[] };
    const principals = Statement.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Principal }) => Principal?.AWS ?? []);
    return principals.some((principal) => principal === account || principal.includes(`::${account}:`)) ? 'yes' : 'no';
  } catch {
    return 'unknown';
  } finally {
    client.destroy();
  }
}

function bootstrapCommand({ account, region, qualifier }: AssemblyStack, trust: string): string {
  const own = qualifier === DEFAULT_QUALIFIER ? '' : ` --qualifier ${qualifier} --toolkit-stack-name CDKToolkit-${qualifier}`;
  return `npx cdk bootstrap aws://${account}/${region} --trust ${trust} --cloudformation-execution-policies arn:aws:iam::aws:policy/AdministratorAccess${own}`;
}
