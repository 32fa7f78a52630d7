import type { Authorization, AuthorizationRule, ConditionContext, RequestContext } from '../../kernel/service.js';
import { actionInfo } from '../../iam/index.js';
import type * as Ec2 from '../../models/types/ec2.js';
import { kindOf, KINDS, type KindName } from './kinds.js';
import { arnOf, peek } from './store.js';
import { tagsOf } from './tags.js';

type Input = Record<string, unknown>;

/**
 * What an EC2 operation is checked against: the resource types that the Service Authorization Reference gives its action, each with the
 * ID that the request names, or `*` for one that is yet to be made. With tags, `ec2:CreateTags` is asked for as well.
 */
export function authorizationOf(operation: string): Authorization {
  const types = actionInfo(`ec2:${operation}`)?.resources ?? [];
  const kinds = types.map(({ name, required }) => ({ kind: BY_TYPE.get(name), name, required }));
  const rule: AuthorizationRule<Input> = {
    resource: (input, context) => {
      const arns = kinds.flatMap(({ kind, name, required }) => {
        const ids = kind ? idsIn(kind, input) : [];
        if (ids.length > 0) return ids.map((id) => arnOf(kind!, id, context));
        return required ? [`arn:aws:ec2:${context.region}:${name === 'image' ? '' : context.account}:${name}/${name === 'image' ? String(input['ImageId'] ?? '*') : '*'}`] : [];
      });
      return arns.length > 0 ? arns : '*';
    },
    context: (input, context) => ({ ...requestTags(input), ...conditions(kinds.flatMap(({ kind }) => (kind ? [kind] : [])), input, context), 'ec2:Region': context.region }),
  };
  const tagging: AuthorizationRule<Input> = {
    action: 'ec2:CreateTags',
    when: (input) => specifications(input).length > 0,
    resource: (input, context) => specifications(input).map(({ ResourceType }) => `arn:aws:ec2:${context.region}:${context.account}:${ResourceType}/*`),
    context: (input, context) => ({ ...requestTags(input), 'ec2:CreateAction': operation, 'ec2:Region': context.region }),
  };
  return types.length > 0 && /^(Create|Run|Allocate|Import|Authorize)/.test(operation) ? [rule, tagging] : rule;
}

const BY_TYPE: ReadonlyMap<string, KindName> = new Map(Object.entries(KINDS).map(([name, { type }]) => [type, name as KindName]));

/** Members that hold IDs of a kind: `VpcId`, `VpcIds`, `PeerVpcId` … */
function idsIn(kind: KindName, input: Input): string[] {
  const { prefix, id } = kindOf(kind);
  const values = [input[id], input[`${id}s`], input['Resources'], input['ResourceIds'], input['GatewayId'], input['SecurityGroupIds']].flat();
  return [...new Set(values.filter((value): value is string => typeof value === 'string' && new RegExp(`^${prefix}-[0-9a-f]+$`).test(value)))];
}

function specifications(input: Input): Ec2.TagSpecification[] {
  const given = input['TagSpecifications'] ?? input['TagSpecification'];
  return Array.isArray(given) ? (given as Ec2.TagSpecification[]).filter((one) => (one?.Tags ?? []).length > 0) : [];
}

function requestTags(input: Input): ConditionContext {
  const tags = specifications(input).flatMap(({ Tags = [] }) => Tags);
  if (tags.length === 0) return {};
  return { ...Object.fromEntries(tags.map(({ Key, Value }) => [`aws:RequestTag/${Key}`, Value])), 'aws:TagKeys': tags.map(({ Key }) => Key!) };
}

/** `ec2:Vpc` of what lies in one, and `ec2:ResourceTag/…` of what the request names. */
function conditions(kinds: readonly KindName[], input: Input, context: RequestContext): ConditionContext {
  const found: Record<string, string> = {};
  for (const kind of kinds)
    for (const id of idsIn(kind, input)) {
      const item = peek<{ VpcId?: string }>(kind, id, context);
      if (!item) continue;
      if (kind !== 'vpc' && item.VpcId) found['ec2:Vpc'] = arnOf('vpc', item.VpcId, context);
      for (const { Key, Value } of tagsOf(kind, item)) found[`ec2:ResourceTag/${Key}`] = Value ?? '';
    }
  const type = input['InstanceType'];
  return { ...found, ...(typeof type === 'string' ? { 'ec2:InstanceType': type } : {}) };
}
