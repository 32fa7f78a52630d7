import { createHash, randomBytes } from 'node:crypto';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import { GLOBAL, table } from '../../state/state.js';
import type { Handlers } from './handlers.js';
import { uniqueId } from './ids.js';
import { absent, key, tooMany, userOf, type User } from './store.js';

/** User name and password for one service, such as git over HTTPS to CodeCommit. */
export interface ServiceCredential {
  readonly id: string;
  readonly user: string;
  readonly service: string;
  /** `USER-at-ACCOUNT`. */
  readonly serviceUser: string;
  /** SHA-256 of the password. */
  readonly hash: string;
  readonly active: boolean;
  readonly created: number;
}

/** By user and credential ID. */
export const serviceCredentials = table<ServiceCredential>('iam', 'service-credentials');

const SERVICES = new Set(['codecommit.amazonaws.com', 'cassandra.amazonaws.com']);
const PER_SERVICE = 2;

export const serviceCredentialOperations = {
  CreateServiceSpecificCredential: (input, context) => {
    const user = userOf(context, input.UserName);
    checkService(input.ServiceName);
    if (input.CredentialAgeDays !== undefined) {
      throw new AwsError('ValidationError', `CredentialAgeDays is not supported for ${input.ServiceName}.`, { status: 400 });
    }
    const existing = serviceCredentialsOf(user.name, context).filter(({ service }) => service === input.ServiceName);
    if (existing.length >= PER_SERVICE) tooMany(`Cannot exceed quota for ServiceSpecificCredentialsPerUser: ${PER_SERVICE}`);
    const password = newPassword();
    const made: ServiceCredential = {
      id: uniqueId('ACCA'),
      user: user.name,
      service: input.ServiceName,
      serviceUser: freeName(user, existing, context.account),
      hash: passwordHash(password),
      active: true,
      created: context.now().getTime(),
    };
    save(made, context);
    return { ServiceSpecificCredential: { ...shown(made), ServicePassword: password } as never };
  },

  ListServiceSpecificCredentials: (input, context) => {
    if (input.ServiceName !== undefined) checkService(input.ServiceName);
    const found = serviceCredentialsOf(userOf(context, input.UserName).name, context);
    const matching = found.filter(({ service }) => input.ServiceName === undefined || service === input.ServiceName);
    return { ServiceSpecificCredentials: matching.map(shown) };
  },

  UpdateServiceSpecificCredential: (input, context) => {
    const found = credentialOf(userOf(context, input.UserName), input.ServiceSpecificCredentialId, context);
    save({ ...found, active: input.Status === 'Active' }, context);
  },

  ResetServiceSpecificCredential: (input, context) => {
    const found = credentialOf(userOf(context, input.UserName), input.ServiceSpecificCredentialId, context);
    const password = newPassword();
    save({ ...found, hash: passwordHash(password) }, context);
    return { ServiceSpecificCredential: { ...shown(found), ServicePassword: password } as never };
  },

  DeleteServiceSpecificCredential: (input, context) => {
    const found = credentialOf(userOf(context, input.UserName), input.ServiceSpecificCredentialId, context);
    serviceCredentials(context.state, context.account, GLOBAL).delete(key(found.user), found.id);
  },
} satisfies Handlers;

export function serviceCredentialsOf(user: string, context: RequestContext): ServiceCredential[] {
  return serviceCredentials(context.state, context.account, GLOBAL).list(key(user));
}

export function passwordHash(password: string): string {
  return createHash('sha256').update(password).digest('hex');
}

function checkService(name: string): void {
  if (!SERVICES.has(name)) absent(`No such service ${name} is supported for Service Specific Credentials`);
}

function credentialOf(user: User, id: string, context: RequestContext): ServiceCredential {
  return serviceCredentials(context.state, context.account, GLOBAL).get(key(user.name), id) ?? absent(`No such credential ${id} exists`);
}

function save(made: ServiceCredential, context: RequestContext): void {
  serviceCredentials(context.state, context.account, GLOBAL).put([key(made.user), made.id], made);
}

function freeName(user: User, existing: readonly ServiceCredential[], account: string): string {
  const plain = `${user.name}-at-${account}`;
  return existing.some(({ serviceUser }) => serviceUser === plain) ? `${user.name}+1-at-${account}` : plain;
}

function newPassword(): string {
  return randomBytes(32).toString('base64');
}

function shown(found: ServiceCredential) {
  return {
    CreateDate: new Date(found.created),
    ServiceName: found.service,
    ServiceUserName: found.serviceUser,
    ServiceSpecificCredentialId: found.id,
    UserName: found.user,
    Status: found.active ? ('Active' as const) : ('Inactive' as const),
  };
}
