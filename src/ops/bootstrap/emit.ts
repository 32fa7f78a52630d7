import type { FleetPair } from '../fleet/fleet.js';
import type { BootstrapPlan } from './plan.js';
import type { BootstrapTemplate } from './template.js';

/**
 * The bootstrap of a fleet as CloudFormation, for those who roll it out centrally: one stack set for each kind of bootstrap, with the
 * accounts and regions it goes to (CloudFormation User Guide, "StackSets"; self-managed permissions).
 */
export function stackSetTemplate(plans: readonly BootstrapPlan[], template: BootstrapTemplate): object {
  const kinds = new Map<string, BootstrapPlan[]>();
  for (const plan of plans) {
    const key = JSON.stringify([plan.stackName, plan.parameters, plan.tags]);
    kinds.set(key, [...(kinds.get(key) ?? []), plan]);
  }
  const Resources = Object.fromEntries([...kinds.values()].map((kind, index) => [`Bootstrap${index + 1}`, stackSet(kind, template, index + 1)]));
  return { Description: `CDK bootstrap, template version ${template.version}, for ${plans.length} accounts and regions`, Resources };
}

function stackSet(kind: readonly BootstrapPlan[], template: BootstrapTemplate, number: number): object {
  const { stackName, parameters, tags, pair } = kind[0]!;
  return {
    Type: 'AWS::CloudFormation::StackSet',
    Properties: {
      StackSetName: `${stackName}-${pair.bootstrap.qualifier}-${number}`,
      Description: `CDK bootstrap ${pair.bootstrap.qualifier}`,
      PermissionModel: 'SELF_MANAGED',
      Capabilities: ['CAPABILITY_NAMED_IAM'],
      Parameters: Object.entries(parameters).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue })),
      ...(Object.keys(tags).length > 0 ? { Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) } : {}),
      StackInstancesGroup: groups(kind.map((plan) => plan.pair)).map(({ accounts, regions }) => ({ DeploymentTargets: { Accounts: accounts }, Regions: regions })),
      TemplateBody: template.body,
    },
  };
}

/** Accounts that go to the same regions, together: a group deploys each of its accounts to each of its regions. */
function groups(pairs: readonly FleetPair[]): { accounts: string[]; regions: string[] }[] {
  const regions = new Map<string, string[]>();
  for (const { account, region } of pairs) regions.set(account, [...(regions.get(account) ?? []), region].sort());
  const found = new Map<string, { accounts: string[]; regions: string[] }>();
  for (const [account, own] of regions) {
    const group = found.get(own.join()) ?? { accounts: [], regions: own };
    group.accounts.push(account);
    found.set(own.join(), group);
  }
  return [...found.values()];
}

/** The template itself, with the defaults of its parameters set to what one pair needs. */
export function pairTemplate(plan: BootstrapPlan, template: BootstrapTemplate): string {
  const lines = template.body.split('\n');
  let name: string | undefined;
  let inside = false;
  return lines
    .map((line) => {
      if (/^\S/.test(line)) inside = line.startsWith('Parameters:');
      name = inside ? (/^ {2}(\w+):\s*$/.exec(line)?.[1] ?? name) : undefined;
      const value = name === undefined ? undefined : plan.parameters[name];
      return value !== undefined && /^ {4}Default:/.test(line) ? `    Default: '${value.replaceAll("'", "''")}'` : line;
    })
    .join('\n');
}
