import type { RequestContext } from '../../kernel/service.js';
import type * as Ec2 from '../../models/types/ec2.js';
import { addInterface, defaultGroup, groupsOf } from './interfaces.js';
import { all, fail, find, newId, peek, remove, save, unsupported } from './store.js';
import { tagged, tagsFor } from './tags.js';
import { vpcSettings } from './vpcs.js';

const GATEWAY_SERVICES: ReadonlySet<string> = new Set(['s3', 'dynamodb']);

/** Services that templates most often name; EC2 itself lists several hundred. */
const INTERFACE_SERVICES = [
  'access-analyzer', 'acm-pca', 'airflow.api', 'airflow.env', 'application-autoscaling', 'appmesh-envoy-management', 'appsync-api', 'athena', 'autoscaling', 'backup', 'batch', 'bedrock', 'bedrock-runtime', 'cloudformation', 'cloudtrail',
  'codeartifact.api', 'codeartifact.repositories', 'codebuild', 'codecommit', 'codedeploy', 'codepipeline', 'codestar-connections.api', 'config', 'dynamodb', 'ebs', 'ec2', 'ec2messages', 'ecr.api', 'ecr.dkr', 'ecs', 'ecs-agent', 'ecs-telemetry',
  'eks', 'eks-auth', 'elasticache', 'elasticfilesystem', 'elasticloadbalancing', 'events', 'execute-api', 'git-codecommit', 'glue', 'guardduty-data', 'kinesis-firehose', 'kinesis-streams', 'kms', 'lambda', 'logs', 'monitoring', 'organizations',
  'rds', 'rds-data', 'redshift', 's3', 'sagemaker.api', 'sagemaker.runtime', 'secretsmanager', 'servicecatalog', 'sns', 'sqs', 'ssm', 'ssm-contacts', 'ssm-incidents', 'ssmmessages', 'states', 'sts', 'sync-states', 'synthetics', 'transfer', 'xray',
];

const EVERYTHING = JSON.stringify({ Statement: [{ Action: '*', Effect: 'Allow', Principal: '*', Resource: '*' }] });

export function createVpcEndpoint(input: Ec2.CreateVpcEndpointRequest, context: RequestContext): Ec2.CreateVpcEndpointResult {
  const vpc = find<Ec2.Vpc>('vpc', input.VpcId, context);
  const type = input.VpcEndpointType ?? 'Gateway';
  if (type !== 'Gateway' && type !== 'Interface') throw unsupported(`VPC endpoints of the type ${type}`);
  const service = serviceOf(input.ServiceName, type, context);
  const tags = tagsFor('vpce', input, context);
  const PolicyDocument = input.PolicyDocument ?? EVERYTHING;
  checkPolicy(PolicyDocument);
  const base: Ec2.VpcEndpoint = { VpcEndpointId: newId('vpce'), VpcEndpointType: type, VpcId: vpc.VpcId, ServiceName: input.ServiceName, State: 'available' as Ec2.State, PolicyDocument, OwnerId: context.account, RequesterManaged: false, CreationTimestamp: context.now(), ...tagged('vpce', tags) };
  return { VpcEndpoint: context.state.transaction(() => (type === 'Gateway' ? gatewayEndpoint(base, input, service, context) : interfaceEndpoint(base, input, service, context))) };
}

function serviceOf(name: string | undefined, type: string, context: RequestContext): string {
  const service = name?.startsWith(`com.amazonaws.${context.region}.`) ? name.slice(`com.amazonaws.${context.region}.`.length) : undefined;
  const known = service !== undefined && (type === 'Gateway' ? GATEWAY_SERVICES.has(service) : /^[a-z0-9.-]+$/.test(service));
  if (!known && !(type === 'Interface' && /^(com\.amazonaws\.vpce\.|aws\.)/.test(name ?? ''))) throw fail('InvalidServiceName', `The Vpc Endpoint Service '${name ?? ''}' does not exist`);
  return service ?? name!;
}

function checkPolicy(text: string): void {
  try {
    JSON.parse(text);
  } catch {
    throw fail('InvalidPolicyDocument', 'The policy is not valid JSON.');
  }
}

/** `pl-…` of a service, as routes to it name it: made from its name, the same in every account. */
function prefixList(service: string): string {
  return `pl-${Buffer.from(service).toString('hex').padEnd(8, '0').slice(0, 8)}`;
}

function gatewayEndpoint(base: Ec2.VpcEndpoint, input: Ec2.CreateVpcEndpointRequest, service: string, context: RequestContext): Ec2.VpcEndpoint {
  const tables = input.RouteTableIds ?? [];
  for (const id of tables) route(id, base, service, context);
  return save('vpce', { ...base, RouteTableIds: [...tables], SubnetIds: [], Groups: [], PrivateDnsEnabled: false, NetworkInterfaceIds: [], DnsEntries: [] }, context);
}

function route(tableId: string, endpoint: Ec2.VpcEndpoint, service: string, context: RequestContext): void {
  const table = find<Ec2.RouteTable>('rtb', tableId, context);
  const DestinationPrefixListId = prefixList(service);
  if (table.VpcId !== endpoint.VpcId) throw fail('InvalidParameter', `The route table ${tableId} and the endpoint belong to different VPCs`);
  if (table.Routes!.some((one) => one.DestinationPrefixListId === DestinationPrefixListId)) throw fail('RouteAlreadyExists', `route table ${tableId} already has a route with destination-prefix-list-id ${DestinationPrefixListId}`);
  save('rtb', { ...table, Routes: [...table.Routes!, { DestinationPrefixListId, GatewayId: endpoint.VpcEndpointId, Origin: 'CreateRoute', State: 'active' }] }, context);
}

function unroute(tableId: string, endpointId: string, context: RequestContext): void {
  const table = peek<Ec2.RouteTable>('rtb', tableId, context);
  if (table) save('rtb', { ...table, Routes: table.Routes!.filter(({ GatewayId }) => GatewayId !== endpointId) }, context);
}

function interfaceEndpoint(base: Ec2.VpcEndpoint, input: Ec2.CreateVpcEndpointRequest, service: string, context: RequestContext): Ec2.VpcEndpoint {
  const settings = vpcSettings(base.VpcId!, context)!;
  const privateDns = input.PrivateDnsEnabled ?? true;
  if (privateDns && !(settings.dnsSupport && settings.dnsHostnames)) throw fail('InvalidParameter', 'Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for ' + base.VpcId);
  if (privateDns && all<Ec2.VpcEndpoint>('vpce', context).some((one) => one.VpcId === base.VpcId && one.ServiceName === base.ServiceName && one.PrivateDnsEnabled))
    throw fail('InvalidParameter', `private-dns-enabled cannot be set because there is already a conflicting DNS domain for ${privateName(service, context)} in the VPC ${base.VpcId}`);
  const groups = input.SecurityGroupIds ?? [defaultGroup(base.VpcId!, context)];
  const subnets = (input.SubnetIds ?? []).map((id) => find<Ec2.Subnet>('subnet', id, context));
  const zones = subnets.map(({ AvailabilityZone }) => AvailabilityZone!);
  if (new Set(zones).size < zones.length) throw fail('DuplicateSubnetsInSameZone', 'Found another VPC endpoint subnet in the availability zone of ' + subnets.at(-1)!.SubnetId);
  const interfaces = subnets.map((subnet) => endpointInterface(base.VpcEndpointId!, subnet, groups, context));
  return save(
    'vpce',
    {
      ...base, RouteTableIds: [], SubnetIds: subnets.map(({ SubnetId }) => SubnetId!), Groups: groupsOf(groups, context), IpAddressType: 'ipv4', DnsOptions: { DnsRecordIpType: 'ipv4' }, PrivateDnsEnabled: privateDns,
      NetworkInterfaceIds: interfaces, DnsEntries: dnsEntries(base.VpcEndpointId!, service, zones, privateDns, context),
    },
    context,
  );
}

function endpointInterface(id: string, subnet: Ec2.Subnet, groups: readonly string[], context: RequestContext): string {
  const attachment: Ec2.NetworkInterfaceAttachment = { AttachmentId: `ela-attach-${id.slice(5)}`, DeleteOnTermination: false, DeviceIndex: 1, InstanceOwnerId: 'amazon-aws', Status: 'attached' };
  return addInterface({ subnet, type: 'vpc_endpoint', description: `VPC Endpoint Interface ${id}`, groups, requesterManaged: true, attachment }, context).NetworkInterfaceId!;
}

const HOSTED_ZONE = 'Z7HUB22UULQXV';

function privateName(service: string, context: RequestContext): string {
  return `${service.split('.').reverse().join('.')}.${context.region}.amazonaws.com`;
}

function dnsEntries(id: string, service: string, zones: readonly string[], privateDns: boolean, context: RequestContext): Ec2.DnsEntry[] {
  const own = `${id}-${id.slice(-8)}`;
  const rest = `${service.split('.').reverse().join('.')}.${context.region}.vpce.amazonaws.com`;
  const names = [`${own}.${rest}`, ...zones.map((zone) => `${own}-${zone}.${rest}`)];
  return [...names.map((DnsName) => ({ DnsName, HostedZoneId: HOSTED_ZONE })), ...(privateDns ? [{ DnsName: privateName(service, context), HostedZoneId: `Z0${id.slice(-18).toUpperCase()}` }] : [])];
}

export function modifyVpcEndpoint(input: Ec2.ModifyVpcEndpointRequest, context: RequestContext): Ec2.ModifyVpcEndpointResult {
  const endpoint = find<Ec2.VpcEndpoint>('vpce', input.VpcEndpointId, context);
  const service = endpoint.ServiceName!.replace(`com.amazonaws.${context.region}.`, '');
  context.state.transaction(() => {
    for (const id of input.AddRouteTableIds ?? []) route(id, endpoint, service, context);
    for (const id of input.RemoveRouteTableIds ?? []) unroute(id, input.VpcEndpointId, context);
    const removed = all<Ec2.NetworkInterface>('eni', context).filter((eni) => endpoint.NetworkInterfaceIds!.includes(eni.NetworkInterfaceId!) && input.RemoveSubnetIds?.includes(eni.SubnetId!));
    for (const { NetworkInterfaceId } of removed) remove('eni', NetworkInterfaceId!, context);
    const groups = changed(endpoint.Groups!.map(({ GroupId }) => GroupId!), input.AddSecurityGroupIds, input.RemoveSecurityGroupIds);
    const added = (input.AddSubnetIds ?? []).map((id) => endpointInterface(input.VpcEndpointId, find<Ec2.Subnet>('subnet', id, context), groups, context));
    if (input.PolicyDocument !== undefined) checkPolicy(input.PolicyDocument);
    save(
      'vpce',
      {
        ...endpoint,
        PolicyDocument: input.ResetPolicy ? EVERYTHING : (input.PolicyDocument ?? endpoint.PolicyDocument),
        RouteTableIds: changed(endpoint.RouteTableIds!, input.AddRouteTableIds, input.RemoveRouteTableIds),
        SubnetIds: changed(endpoint.SubnetIds!, input.AddSubnetIds, input.RemoveSubnetIds),
        Groups: groupsOf(groups, context),
        NetworkInterfaceIds: [...endpoint.NetworkInterfaceIds!.filter((id) => !removed.some(({ NetworkInterfaceId }) => NetworkInterfaceId === id)), ...added],
        PrivateDnsEnabled: input.PrivateDnsEnabled ?? endpoint.PrivateDnsEnabled,
      },
      context,
    );
  });
  return { Return: true };
}

function changed(before: readonly string[], add: readonly string[] = [], gone: readonly string[] = []): string[] {
  return [...new Set([...before, ...add])].filter((id) => !gone.includes(id));
}

export function deleteVpcEndpoints(input: Ec2.DeleteVpcEndpointsRequest, context: RequestContext): Ec2.DeleteVpcEndpointsResult {
  const Unsuccessful: Ec2.UnsuccessfulItem[] = [];
  for (const id of input.VpcEndpointIds) {
    const endpoint = peek<Ec2.VpcEndpoint>('vpce', id, context);
    if (!endpoint) {
      Unsuccessful.push({ ResourceId: id, Error: { Code: 'InvalidVpcEndpointId.NotFound', Message: `The Vpc Endpoint Id '${id}' does not exist` } });
      continue;
    }
    context.state.transaction(() => {
      for (const table of endpoint.RouteTableIds ?? []) unroute(table, id, context);
      for (const eni of endpoint.NetworkInterfaceIds ?? []) remove('eni', eni, context);
      remove('vpce', id, context);
    });
  }
  return { Unsuccessful };
}

export function describeVpcEndpointServices(input: Ec2.DescribeVpcEndpointServicesRequest, context: RequestContext): Ec2.DescribeVpcEndpointServicesResult {
  const full = (name: string): string => `com.amazonaws.${context.region}.${name}`;
  const names = [...new Set([...GATEWAY_SERVICES, ...INTERFACE_SERVICES].map(full))].sort();
  for (const name of input.ServiceNames ?? []) if (!names.includes(name)) throw fail('InvalidServiceName', `The Vpc Endpoint Service '${name}' does not exist`);
  const wanted = names.filter((name) => !input.ServiceNames || input.ServiceNames.includes(name));
  const details = wanted.flatMap((name): Ec2.ServiceDetail[] => {
    const service = name.split('.').slice(3).join('.');
    const types: Ec2.ServiceType[] = [...(GATEWAY_SERVICES.has(service) ? ['Gateway' as const] : []), ...(INTERFACE_SERVICES.includes(service) ? ['Interface' as const] : [])];
    return types.map((ServiceType) => ({ ServiceName: name, ServiceType: [{ ServiceType }], Owner: 'amazon', AcceptanceRequired: false, VpcEndpointPolicySupported: true, ManagesVpcEndpoints: false, SupportedIpAddressTypes: ['ipv4'], ServiceRegion: context.region, Tags: [] }));
  });
  const filtered = details.filter((detail) => (input.Filters ?? []).every(({ Name, Values = [] }) => (Name === 'service-name' ? Values.includes(detail.ServiceName!) : Name === 'service-type' ? Values.includes(String(detail.ServiceType![0]!.ServiceType)) : Name === 'owner' ? Values.includes('amazon') : true)));
  return { ServiceNames: [...new Set(filtered.map(({ ServiceName }) => ServiceName!))], ServiceDetails: filtered };
}

export function describePrefixLists(input: Ec2.DescribePrefixListsRequest, context: RequestContext): Ec2.DescribePrefixListsResult {
  const lists = [...GATEWAY_SERVICES].map((service) => ({ PrefixListId: prefixList(service), PrefixListName: `com.amazonaws.${context.region}.${service}`, Cidrs: [] as string[] }));
  return { PrefixLists: lists.filter((list) => (!input.PrefixListIds || input.PrefixListIds.includes(list.PrefixListId)) && (input.Filters ?? []).every(({ Name, Values = [] }) => Values.includes(Name === 'prefix-list-id' ? list.PrefixListId : list.PrefixListName))) };
}

export function describeManagedPrefixLists(input: Ec2.DescribeManagedPrefixListsRequest, context: RequestContext): Ec2.DescribeManagedPrefixListsResult {
  const { PrefixLists = [] } = describePrefixLists(input as Ec2.DescribePrefixListsRequest, context);
  return { PrefixLists: PrefixLists.map(({ PrefixListId, PrefixListName }) => ({ PrefixListId, PrefixListName, PrefixListArn: `arn:aws:ec2:${context.region}:aws:prefix-list/${PrefixListId}`, AddressFamily: 'IPv4', OwnerId: 'AWS', State: 'create-complete' })) };
}
