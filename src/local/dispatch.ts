import { randomUUID } from 'node:crypto';
import { authorize, check, type Authority, type Judgement } from './authorize.js';
import { refuseFaulty } from './faults.js';
import { AwsError, isAwsError } from './kernel/error.js';
import type { Principal } from './kernel/principal.js';
import type { AuthorizationRule, Body, CallerOptions, Client, ConditionContext, RequestContext, Runtime, Service } from './kernel/service.js';
import type { Journal } from './journal.js';
import { loadModel, type ServiceModel } from './models/model.js';
import { bytesBody } from './kernel/body.js';
import { streamingMember, validateInput } from './wire/index.js';

/** One operation asked for by somebody, from the wire or from another service. */
export interface Call {
  readonly model: ServiceModel;
  readonly operation: string;
  readonly input: Record<string, unknown>;
  readonly principal: Principal;
  readonly region: string;
  readonly requestId: string;
  /** Condition keys that come from how the call is made, not from what it asks. */
  readonly conditions: ConditionContext;
  readonly http?: RequestContext['http'];
}

export interface Dispatcher {
  /** Authorisation → validation → operation. Nothing reaches an operation another way. */
  dispatch(call: Call): Promise<Record<string, unknown>>;
  client(options: CallerOptions): Client;
}

export function dispatcher(options: {
  services: ReadonlyMap<string, Service>;
  authority: Authority;
  journal: Journal;
  runtime: () => Runtime;
}): Dispatcher {
  const { services, authority, journal } = options;

  const dispatch = async (call: Call): Promise<Record<string, unknown>> => {
    const service = services.get(call.model.name);
    const operation = service?.operations[call.operation] ?? (call.http === undefined ? service?.internal?.[call.operation] : undefined);
    if (!service || !operation) throw notImplemented(call.model.name, call.operation);
    const judgements: Judgement[] = [];
    const context = contextOf(call, service, judgements);
    refuseFaulty(call, context.state);
    try {
      const rules = service.authorization[call.operation];
      if (rules === undefined) throw notImplemented(call.model.name, `${call.operation} (no authorisation rule)`);
      if (rules !== 'none') {
        const list = (Array.isArray(rules) ? rules : [rules]) as readonly AuthorizationRule[];
        try {
          authorize(list, call.input, context, call.conditions, service, authority, (judgement) => judgements.push(judgement));
        } catch (error) {
          // What a request is for can't be told when it lacks what names it: then that is what it is told.
          if (!isAwsError(error)) validateInput(call.model, call.operation, call.input);
          throw error;
        }
      }
      if (service.operations[call.operation]) validateInput(call.model, call.operation, call.input);
      return ((await operation(call.input, context)) ?? {}) as Record<string, unknown>;
    } finally {
      journal.record(call, judgements, context.now());
    }
  };

  const contextOf = (call: Call, service: Service, judgements: Judgement[]): RequestContext => {
    const runtime = options.runtime();
    const context: RequestContext = {
      requestId: call.requestId,
      service: call.model.name,
      operation: call.operation,
      account: call.principal.account,
      region: call.region,
      principal: call.principal,
      runtime,
      state: runtime.state,
      now: () => new Date(runtime.clock.now()),
      get onBehalf() {
        return client({ principal: call.principal, region: call.region, context: viaService(service, call) });
      },
      asService: ({ sourceArn, sourceAccount, service: name, region }) =>
        client({
          principal: { kind: 'service', service: name ?? `${service.actionPrefix ?? service.name}.amazonaws.com`, account: sourceAccount ?? call.principal.account, sourceArn },
          region: region ?? call.region,
        }),
      authorize: (action, resource, conditions = {}) => {
        const owner = services.get(SERVICE_OF_PREFIX[action.split(':')[0]!] ?? action.split(':')[0]!) ?? service;
        check(action, resource, { ...conditions, ...call.conditions }, context, owner, authority, (judgement) => judgements.push(judgement));
      },
      http: call.http,
    };
    return context;
  };

  const client = (caller: CallerOptions): Client => ({
    call: async <O>(name: string, operation: string, input: Record<string, unknown>) => {
      const model = loadModel(name);
      if (!model) throw notImplemented(name, operation);
      const output = await dispatch({
        model,
        operation,
        input: withBodies(model, operation, input),
        principal: caller.principal,
        region: caller.region,
        requestId: randomUUID(),
        conditions: caller.context ?? {},
      });
      return output as O;
    },
    in: (region) => client({ ...caller, region }),
  });

  return { dispatch, client };
}

/** Services whose IAM prefix differs from the name of their model. */
const SERVICE_OF_PREFIX: Readonly<Record<string, string>> = {
  'codestar-connections': 'codestar-connections',
  execute: 'apigateway',
};

/** Keys of a call that a service makes with its caller's rights (IAM User Guide, "Forward access sessions"). */
function viaService(service: Service, call: Call): ConditionContext {
  const principalName = `${service.actionPrefix ?? service.name}.amazonaws.com`;
  const before = call.conditions['aws:CalledVia'];
  const chain = [...(Array.isArray(before) ? (before as string[]) : []), principalName];
  return {
    ...call.conditions,
    'aws:ViaAWSService': true,
    'aws:CalledVia': chain,
    'aws:CalledViaFirst': chain[0],
    'aws:CalledViaLast': principalName,
    'kms:ViaService': `${service.actionPrefix ?? service.name}.${call.region}.amazonaws.com`,
  };
}

/** Callers inside the process may hand a streaming payload as plain bytes. */
function withBodies(model: ServiceModel, operation: string, input: Record<string, unknown>): Record<string, unknown> {
  const member = model.operation(operation) === undefined ? undefined : streamingMember(model, operation, 'input');
  const value = member === undefined ? undefined : input[member];
  if (member === undefined || value === undefined || isBody(value)) return input;
  return { ...input, [member]: bytesBody(value as Uint8Array | string) };
}

function isBody(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && 'stream' in value;
}

function notImplemented(service: string, operation: string): AwsError {
  return new AwsError('NotImplemented', `The local cloud has no behaviour for ${service}:${operation}. Nothing was changed.`, { status: 501 });
}
