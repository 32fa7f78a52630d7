import { availabilityZones } from '../../kernel/regions.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as Ec2 from '../../models/types/ec2.js';
import { addressOf, parseBlock } from './cidr.js';
import { details, find, newId, save } from './store.js';
import { addSubnet } from './subnets.js';
import { addVpc } from './vpcs.js';
import { mainTable } from './routes.js';

/**
 * The default VPC that every account has in every region: 172.31.0.0/16, a /20 subnet in each zone, an internet gateway and a route to it
 * (VPC user guide, "Default VPCs"). Made when the account first uses EC2 there; once deleted it stays deleted.
 */
export function ensureDefaults(context: RequestContext): void {
  const known = details<string>('defaults', context);
  if (known.get('vpc') !== undefined) return;
  context.state.transaction(() => {
    const vpc = addVpc({ cidr: '172.31.0.0/16', tenancy: 'default', ipv6: false, isDefault: true, tags: [] }, context);
    known.put('vpc', vpc.VpcId!);
    const { first } = parseBlock('172.31.0.0/16');
    availabilityZones(context.region).forEach((zone, i) => addSubnet(vpc, { cidr: `${addressOf(first + i * 4096)}/20`, zone, isDefault: true, tags: [], ipv6: [] }, context));
    const gateway = save<Ec2.InternetGateway>('igw', { InternetGatewayId: newId('igw'), OwnerId: context.account, Attachments: [{ State: 'available' as Ec2.AttachmentStatus, VpcId: vpc.VpcId }], Tags: [] }, context);
    const table = find<Ec2.RouteTable>('rtb', mainTable(vpc.VpcId!, context)!.RouteTableId, context);
    save('rtb', { ...table, Routes: [...table.Routes!, { DestinationCidrBlock: '0.0.0.0/0', GatewayId: gateway.InternetGatewayId, Origin: 'CreateRoute', State: 'active' }] }, context);
  });
}
