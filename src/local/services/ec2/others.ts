import { createHash, generateKeyPairSync } from 'node:crypto';
import type { RequestContext } from '../../kernel/service.js';
import type * as Ec2 from '../../models/types/ec2.js';
import { matchesAll } from './describe.js';
import { all, dependency, details, fail, find, newId, peek, remove, save } from './store.js';
import { tagged, tagsFor } from './tags.js';
import { defaultDhcpOptions } from './vpcs.js';

/** DHCP options, key pairs and flow logs. */

const DHCP_KEYS: ReadonlySet<string> = new Set(['domain-name', 'domain-name-servers', 'ntp-servers', 'netbios-name-servers', 'netbios-node-type', 'ipv6-address-preferred-lease-time']);

export function createDhcpOptions(input: Ec2.CreateDhcpOptionsRequest, context: RequestContext): Ec2.CreateDhcpOptionsResult {
  for (const { Key = '' } of input.DhcpConfigurations) if (!DHCP_KEYS.has(Key)) throw fail('InvalidParameterValue', `Value (${Key}) for parameter name is invalid. Unknown DHCP option`);
  const configurations = input.DhcpConfigurations.map(({ Key, Values = [] }) => ({ Key, Values: Values.map((Value) => ({ Value })) })).sort((a, b) => (a.Key! < b.Key! ? -1 : 1));
  const options: Ec2.DhcpOptions = { DhcpOptionsId: newId('dopt'), OwnerId: context.account, DhcpConfigurations: configurations, ...tagged('dopt', tagsFor('dopt', input, context)) };
  return { DhcpOptions: save('dopt', options, context) };
}

export function associateDhcpOptions(input: Ec2.AssociateDhcpOptionsRequest, context: RequestContext): void {
  const vpc = find<Ec2.Vpc>('vpc', input.VpcId, context);
  if (input.DhcpOptionsId !== 'default') find('dopt', input.DhcpOptionsId, context);
  save('vpc', { ...vpc, DhcpOptionsId: input.DhcpOptionsId }, context);
}

export function deleteDhcpOptions(input: Ec2.DeleteDhcpOptionsRequest, context: RequestContext): void {
  find('dopt', input.DhcpOptionsId, context);
  if (input.DhcpOptionsId === defaultDhcpOptions(context) || all<Ec2.Vpc>('vpc', context).some(({ DhcpOptionsId }) => DhcpOptionsId === input.DhcpOptionsId)) throw dependency('dhcpOptions', input.DhcpOptionsId);
  remove('dopt', input.DhcpOptionsId, context);
}

function keyByName(name: string | undefined, context: RequestContext): Ec2.KeyPairInfo | undefined {
  return all<Ec2.KeyPairInfo>('key', context).find(({ KeyName }) => KeyName === name);
}

function refuseDuplicate(name: string, context: RequestContext): void {
  if (keyByName(name, context)) throw fail('InvalidKeyPair.Duplicate', `The keypair '${name}' already exists.`);
}

export function createKeyPair(input: Ec2.CreateKeyPairRequest, context: RequestContext): Ec2.KeyPair {
  refuseDuplicate(input.KeyName, context);
  const type = input.KeyType ?? 'rsa';
  if (input.KeyFormat === 'ppk') throw fail('NotImplemented', 'The local cloud makes key pairs in the format pem only, not ppk. Nothing was changed.', 501);
  const pair = type === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ed25519');
  const der = pair.privateKey.export({ type: 'pkcs8', format: 'der' });
  const KeyMaterial = pair.privateKey.export({ type: type === 'rsa' ? 'pkcs1' : 'pkcs8', format: 'pem' } as { type: 'pkcs8'; format: 'pem' }) as string;
  const key = addKey(input.KeyName, type, fingerprint(type, der, 'sha1'), undefined, tagsFor('key', input, context), context);
  return { KeyName: key.KeyName, KeyPairId: key.KeyPairId, KeyFingerprint: key.KeyFingerprint, KeyMaterial, Tags: key.Tags };
}

/** SHA-1 of a private key that EC2 made, MD5 of a public key that was imported (user guide, "Verify the fingerprint of your key pair"). */
function fingerprint(type: string, der: Uint8Array, hash: 'sha1' | 'md5'): string {
  if (type === 'ed25519') return `${createHash('sha256').update(der).digest('base64')}`;
  return createHash(hash).update(der).digest('hex').replace(/(..)(?=.)/g, '$1:');
}

function addKey(KeyName: string, KeyType: Ec2.KeyType, KeyFingerprint: string, publicKey: string | undefined, tags: readonly Ec2.Tag[], context: RequestContext): Ec2.KeyPairInfo {
  const key = save<Ec2.KeyPairInfo>('key', { KeyPairId: newId('key'), KeyName, KeyType, KeyFingerprint, CreateTime: context.now(), ...tagged('key', tags) }, context);
  if (publicKey !== undefined) details<string>('key', context).put(key.KeyPairId!, publicKey);
  return key;
}

export function importKeyPair(input: Ec2.ImportKeyPairRequest, context: RequestContext): Ec2.ImportKeyPairResult {
  refuseDuplicate(input.KeyName, context);
  const text = Buffer.from(input.PublicKeyMaterial as Uint8Array).toString('utf8').trim();
  const [, kind, body] = /^(ssh-rsa|ssh-ed25519) ([A-Za-z0-9+/=]+)/.exec(text) ?? [];
  if (body === undefined) throw fail('InvalidKey.Format', 'Key is not in valid OpenSSH public key format');
  const type = kind === 'ssh-rsa' ? 'rsa' : 'ed25519';
  const key = addKey(input.KeyName, type, fingerprint(type, Buffer.from(body, 'base64'), 'md5'), text, tagsFor('key', input, context), context);
  return { KeyName: key.KeyName, KeyPairId: key.KeyPairId, KeyFingerprint: key.KeyFingerprint, Tags: key.Tags };
}

export function deleteKeyPair(input: Ec2.DeleteKeyPairRequest, context: RequestContext): Ec2.DeleteKeyPairResult {
  const key = input.KeyPairId === undefined ? keyByName(input.KeyName, context) : peek<Ec2.KeyPairInfo>('key', input.KeyPairId, context);
  // What isn't there is deleted (API reference, DeleteKeyPair).
  if (!key) return { Return: true };
  remove('key', key.KeyPairId!, context);
  details('key', context).delete(key.KeyPairId!);
  return { Return: true, KeyPairId: key.KeyPairId };
}

export function describeKeyPairs(input: Ec2.DescribeKeyPairsRequest, context: RequestContext): Ec2.DescribeKeyPairsResult {
  const byName = (input.KeyNames ?? []).map((name) => keyByName(name, context) ?? raise(name));
  const byId = (input.KeyPairIds ?? []).map((id) => find<Ec2.KeyPairInfo>('key', id, context));
  const named = input.KeyNames ?? input.KeyPairIds ? [...byName, ...byId] : all<Ec2.KeyPairInfo>('key', context);
  const shown = named.filter((key) => matchesAll('key', key, input.Filters ?? []));
  return { KeyPairs: shown.map((key) => ({ ...key, ...(input.IncludePublicKey ? { PublicKey: details<string>('key', context).get(key.KeyPairId!) } : {}) })) };
}

function raise(name: string): never {
  throw fail('InvalidKeyPair.NotFound', `The key pair '${name}' does not exist`);
}

const FLOW_KINDS = { VPC: 'vpc', Subnet: 'subnet', NetworkInterface: 'eni', TransitGateway: 'tgw', TransitGatewayAttachment: 'tgwAttachment' } as const;

/** Flow logs are kept and shown; no traffic flows here that they could tell of. */
export function createFlowLogs(input: Ec2.CreateFlowLogsRequest, context: RequestContext): Ec2.CreateFlowLogsResult {
  const kind = FLOW_KINDS[input.ResourceType as keyof typeof FLOW_KINDS];
  if (!kind) throw fail('InvalidParameter', `The resource type ${input.ResourceType} is not supported`);
  const destination = input.LogDestinationType ?? 'cloud-watch-logs';
  if (destination === 'cloud-watch-logs') {
    if (input.DeliverLogsPermissionArn === undefined) throw fail('InvalidParameter', 'DeliverLogsPermissionArn can\'t be empty if LogDestinationType is cloud-watch-logs');
    if (input.LogGroupName === undefined && input.LogDestination === undefined) throw fail('InvalidParameter', 'LogDestination or LogGroupName is required');
    context.authorize('iam:PassRole', input.DeliverLogsPermissionArn, { 'iam:PassedToService': 'vpc-flow-logs.amazonaws.com' });
  } else if (input.LogDestination === undefined) throw fail('InvalidParameter', 'LogDestination can\'t be empty');
  const tags = tagsFor('flow', input, context);
  const made = input.ResourceIds.map((ResourceId) => {
    find(kind, ResourceId, context);
    return save<Ec2.FlowLog>(
      'flow',
      {
        FlowLogId: newId('flow'), ResourceId, TrafficType: input.TrafficType, FlowLogStatus: 'ACTIVE', DeliverLogsStatus: 'SUCCESS', LogDestinationType: destination, CreationTime: context.now(), MaxAggregationInterval: input.MaxAggregationInterval ?? 600,
        LogFormat: input.LogFormat ?? '${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}',
        DeliverLogsPermissionArn: input.DeliverLogsPermissionArn, LogGroupName: input.LogGroupName, LogDestination: input.LogDestination, ...tagged('flow', tags),
      },
      context,
    ).FlowLogId!;
  });
  return { FlowLogIds: made, Unsuccessful: [], ...(input.ClientToken === undefined ? {} : { ClientToken: input.ClientToken }) };
}

export function deleteFlowLogs(input: Ec2.DeleteFlowLogsRequest, context: RequestContext): Ec2.DeleteFlowLogsResult {
  for (const id of input.FlowLogIds) find('flow', id, context);
  for (const id of input.FlowLogIds) remove('flow', id, context);
  return { Unsuccessful: [] };
}
