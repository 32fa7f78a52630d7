import { formatDifferences, fullDiff, ResourceImpact, type ResourceDifference, type TemplateDiff } from '@aws-cdk/cloudformation-diff';
import { PassThrough } from 'node:stream';

type Template = Record<string, unknown>;

/** What a new template would do to a stack, the worst first. */
export interface TemplateChange {
  readonly isNew: boolean;
  readonly replaced: readonly ChangedResource[];
  /** Resources that would be deleted with what they hold. */
  readonly deleted: readonly ChangedResource[];
  /** Resources that would leave the stack and stay. */
  readonly orphaned: readonly ChangedResource[];
  /** What lets somebody do more, or may. */
  readonly broadened: readonly string[];
  readonly added: number;
  readonly changed: number;
  /** As `cdk diff` shows it. */
  readonly text: string;
}

export interface ChangedResource {
  readonly logicalId: string;
  readonly type: string;
  /** `MAY_REPLACE` where only the deployment tells. */
  readonly certain: boolean;
}

/** Undefined where nothing would change. `current` is undefined where the stack does not stand. */
export function compareTemplates(current: Template | undefined, next: Template): TemplateChange | undefined {
  const diff = fullDiff(current ?? {}, next);
  if (diff.differenceCount === 0) return undefined;
  const resources = Object.entries(diff.resources.changes).filter(([, change]) => change !== undefined && change.isDifferent && change.resourceType !== 'AWS::CDK::Metadata') as [string, ResourceDifference][];
  const of = (...impacts: ResourceImpact[]): ChangedResource[] => resources.filter(([, { changeImpact }]) => impacts.includes(changeImpact)).map(([logicalId, { resourceType, oldResourceType, changeImpact }]) => ({ logicalId, type: resourceType ?? oldResourceType ?? '', certain: changeImpact !== ResourceImpact.MAY_REPLACE }));
  if (resources.length === 0 && !diff.outputs.differenceCount && !diff.parameters.differenceCount && !diff.conditions.differenceCount && !diff.mappings.differenceCount) return undefined;
  return {
    isNew: current === undefined,
    replaced: of(ResourceImpact.WILL_REPLACE, ResourceImpact.MAY_REPLACE),
    deleted: of(ResourceImpact.WILL_DESTROY),
    orphaned: of(ResourceImpact.WILL_ORPHAN),
    broadened: broadened(diff, resources),
    added: resources.filter(([, { isAddition }]) => isAddition).length,
    changed: resources.filter(([, { isUpdate }]) => isUpdate).length,
    text: format(diff),
  };
}

/** Resources that let somebody in by what they are, and that CDK's own judgement passes over. */
const OPENING: readonly { readonly type: RegExp; readonly properties?: RegExp; readonly what: string }[] = [
  { type: /^AWS::IAM::(Role|User)$/, properties: /^PermissionsBoundary$/, what: 'its permissions boundary changes' },
  { type: /^AWS::IAM::(RolePolicy|UserPolicy|GroupPolicy|OIDCProvider|SAMLProvider|AccessKey)$/, what: 'grants access' },
  { type: /^AWS::IAM::ManagedPolicy$/, properties: /^PolicyDocument$/, what: 'its document changes for whoever has it' },
  { type: /^AWS::S3::Bucket$/, properties: /^PublicAccessBlockConfiguration$/, what: 'its public access block changes' },
  { type: /^AWS::Lambda::Url$/, what: 'is reachable from outside' },
  { type: /^AWS::RAM::ResourceShare$/, what: 'shares with other accounts' },
  { type: /^AWS::(KMS::Key|SQS::QueuePolicy|SNS::TopicPolicy|ECR::Repository|SecretsManager::ResourcePolicy)$/, properties: /^(KeyPolicy|PolicyDocument|RepositoryPolicyText|ResourcePolicy)$/, what: 'its policy changes' },
];

function broadened(diff: TemplateDiff, resources: readonly (readonly [string, ResourceDifference])[]): string[] {
  const { iamChanges, securityGroupChanges } = diff;
  const said = [
    ...iamChanges.statements.additions.map(({ effect, actions, resources: on, principals }) => `${String(effect)} ${list(actions)} on ${list(on)}${principals.empty ? '' : ` to ${list(principals)}`}`).filter((text) => !text.startsWith('Deny')),
    ...iamChanges.statements.removals.filter(({ effect }) => String(effect) === 'Deny').map(({ actions, resources: on }) => `no longer denied: ${list(actions)} on ${list(on)}`),
    ...iamChanges.managedPolicies.additions.map(({ identityArn, managedPolicyArn }) => `${text(managedPolicyArn)} for ${text(identityArn)}`),
    ...securityGroupChanges.ingress.additions.map((rule) => `${rule.describePeer()} → ${rule.groupId}: ${rule.describeProtocol()}`),
  ];
  const opened = resources.flatMap(([id, change]) => OPENING.filter(({ type, properties }) => type.test(change.newResourceType ?? '') && (properties ? Object.keys(change.isAddition ? {} : change.propertyUpdates).some((name) => properties.test(name)) : true)).map(({ what }) => `${id} (${change.newResourceType}): ${what}`));
  return [...new Set([...said, ...opened])];
}

function list(targets: { readonly values: readonly string[]; readonly not: boolean }): string {
  return `${targets.not ? 'all but ' : ''}${targets.values.map(text).join(', ')}`;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function format(diff: TemplateDiff): string {
  const stream = new PassThrough();
  formatDifferences(stream, diff);
  const chunks: Buffer[] = [];
  for (let chunk: Buffer | null; (chunk = stream.read() as Buffer | null) !== null; ) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8').trimEnd();
}
