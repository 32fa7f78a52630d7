import { gateways } from './ec2-gateways.js';
import { network } from './ec2-network.js';
import { others } from './ec2-others.js';
import { security } from './ec2-security.js';
import type { ResourceProvider } from './provider.js';

/** EC2: the VPC family, launch templates and instances. */
export const ec2: readonly ResourceProvider[] = [...network, ...gateways, ...security, ...others];
