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
}

/** Reads what is there, and changes nothing. */
export async function standingBootstrap(target: Target, { account, region, bootstrap }: FleetPair): Promise<Standing> {
  const client = await clientOf(target, CloudFormationClient, account, region);
  const named = await stackOf(client, bootstrap.toolkitStackName ?? DEFAULT_TOOLKIT);
  if (named?.parameters['Qualifier'] === bootstrap.qualifier) return { stack: named, holder: undefined };
  const holder = await holderOf(target, client, { account, region, bootstrap });
  return { stack: named, holder };
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
async function holderOf(target: Target, client: CloudFormationClient, { account, region, bootstrap }: FleetPair): Promise<string | undefined> {
  const ssm = await clientOf(target, SSMClient, account, region);
  try {
    await ssm.send(new GetParameterCommand({ Name: `/cdk-bootstrap/${bootstrap.qualifier}/version` }));
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
  for await (const { Stacks = [] } of paginateDescribeStacks({ client }, {})) {
    const found = Stacks.map(standing).find(({ parameters, version }) => parameters['Qualifier'] === bootstrap.qualifier && version > 0);
    if (found) return found.stackName;
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
