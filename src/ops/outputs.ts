import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { clientSettings, type Target } from './target.js';
import type { WhereReport } from './where.js';

/** An API a stack's output names, and how it is called on this machine. */
export interface DeployedApi {
  readonly stage: string;
  readonly account: string;
  readonly region: string;
  readonly output: string;
  readonly url: string;
  /** The same behind the local cloud's endpoint. */
  readonly local: string;
}

const API = /^https:\/\/([a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com(\/.*)?$/;

/** Outputs of deployed stacks that are URLs of API Gateway. */
export async function deployedApis(target: Target, reports: readonly WhereReport[], endpoint: string): Promise<DeployedApi[]> {
  const found: DeployedApi[] = [];
  for (const { stage, account, region, stacks, state } of reports.flatMap(({ rows }) => rows)) {
    if (state === 'never') continue;
    const client = new CloudFormationClient(await clientSettings(target, account, region));
    for (const StackName of stacks) {
      const described = await client.send(new DescribeStacksCommand({ StackName })).catch(() => undefined);
      for (const { OutputKey = '', OutputValue = '' } of described?.Stacks?.[0]?.Outputs ?? []) {
        const match = API.exec(OutputValue);
        if (match && !found.some(({ url }) => url === OutputValue)) found.push({ stage, account, region, output: OutputKey, url: OutputValue, local: `${endpoint}/_aws/execute-api/${match[1]}${match[2] ?? '/'}` });
      }
    }
    client.destroy();
  }
  return found;
}
