import { CloudFormationClient, UpdateTerminationProtectionCommand } from '@aws-sdk/client-cloudformation';
import { each, limiter } from './concurrency.js';
import type { AssemblyModel } from './run/assembly.js';
import type { Sessions } from './sessions.js';

/** Sets termination protection on those stacks of some stages that the assembly wants protected. Returns their names. Raises what CloudFormation answers. */
export async function protect(assembly: AssemblyModel, stages: readonly string[], sessions: Sessions): Promise<readonly string[]> {
  const stacks = assembly.stacks.filter(({ stage, terminationProtection }) => terminationProtection && stage !== undefined && stages.includes(stage));
  await each(limiter(), stacks, async ({ stackName, deployRoleArn, region }) => {
    const client = new CloudFormationClient(await sessions.of(deployRoleArn, region));
    await client.send(new UpdateTerminationProtectionCommand({ StackName: stackName, EnableTerminationProtection: true }));
    client.destroy();
  });
  return stacks.map(({ stackName, account, region }) => `${account}/${region}/${stackName}`);
}
