import { CloudFormationClient, DescribeStacksCommand, paginateDescribeStacks, type Stack } from '@aws-sdk/client-cloudformation';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { isAbsent } from '../aws/absent.js';
import { type FleetPair } from '../fleet/fleet.js';
import { DEFAULT_TOOLKIT } from '../../shared/bootstrap.js';
import { clientOf, type Target } from '../target.js';

/** A bootstrap as it stands in an account and region. */
export interface StandingBootstrap {
  readonly stackName: string;
  readonly status: string;
  readonly version: number;
  readonly parameters: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly terminationProtection: boolean;
}

export interface Standing {
  /** The toolkit stack of the name that is wanted, or, where none was named, the one that holds the qualifier. */
  readonly stack: StandingBootstrap | undefined;
  /** Name of another stack that holds the qualifier; `?` where only its parameter is there. */
  readonly holder: string | undefined;
  /** The holder is an instance of a stack set, which alone changes it. */
  readonly instance?: StandingBootstrap;
}

/** What CloudFormation calls the stacks of a stack set: `StackSet-NAME-UUID` (CloudFormation User Guide, "StackSets concepts"). */
const INSTANCE = /^StackSet-(.+)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The stack set that a stack is an instance of, by its name. */
export function stackSetOf(stackName: string): string | undefined {
  return INSTANCE.exec(stackName)?.[1];
}

/** Reads what is there, and changes nothing. */
export async function standingBootstrap(target: Target, { account, region, bootstrap }: FleetPair): Promise<Standing> {
  const client = await clientOf(target, CloudFormationClient, account, region);
  const named = await stackOf(client, bootstrap.toolkitStackName ?? DEFAULT_TOOLKIT);
  if (named?.parameters['Qualifier'] === bootstrap.qualifier) return { stack: named, holder: undefined };
  const holder = await holderOf(target, client, { account, region, bootstrap });
  if (holder === undefined || holder === '?') return { stack: named, holder };
  return { stack: named, holder: holder.stackName, ...(stackSetOf(holder.stackName) === undefined ? {} : { instance: holder }) };
}

async function stackOf(client: CloudFormationClient, StackName: string): Promise<StandingBootstrap | undefined> {
  try {
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName }));
    return Stacks?.[0] && standing(Stacks[0]);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** The stack that made `/cdk-bootstrap/QUALIFIER/version`, by its parameter of the name. */
async function holderOf(target: Target, client: CloudFormationClient, { account, region, bootstrap }: FleetPair): Promise<StandingBootstrap | '?' | undefined> {
  const ssm = await clientOf(target, SSMClient, account, region);
  try {
    await ssm.send(new GetParameterCommand({ Name: `/cdk-bootstrap/${bootstrap.qualifier}/version` }));
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
  for await (const { Stacks = [] } of paginateDescribeStacks({ client }, {})) {
    const found = Stacks.map(standing).find(({ parameters, version }) => parameters['Qualifier'] === bootstrap.qualifier && version > 0);
    if (found) return found;
  }
  return '?';
}

function standing(stack: Stack): StandingBootstrap {
  return {
    stackName: stack.StackName ?? '',
    status: stack.StackStatus ?? '',
    version: Number(stack.Outputs?.find(({ OutputKey }) => OutputKey === 'BootstrapVersion')?.OutputValue ?? 0),
    parameters: Object.fromEntries((stack.Parameters ?? []).map(({ ParameterKey = '', ParameterValue = '' }) => [ParameterKey, ParameterValue])),
    tags: Object.fromEntries((stack.Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value])),
    terminationProtection: stack.EnableTerminationProtection ?? false,
  };
}
