import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Decision } from '../../iam/index.js';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as STS from '../../models/types/sts.js';
import type { State } from '../../state/state.js';
import { seal, sealHolds } from '../iam/identity.js';

/** Encoded authorization messages: what EC2 appends to a refusal, for those who may read it. */

const PURPOSE = 'authorization message';
const SEAL_BYTES = 32;
/** What a message may unfold to. */
const MESSAGE_BYTES = 1_000_000;

export function encodeAuthorizationMessage(state: State, decision: Decision): string {
  const packed = deflateRawSync(JSON.stringify(message(decision)));
  return Buffer.concat([seal(state, PURPOSE, packed), packed]).toString('base64url');
}

export function decodeAuthorizationMessage(input: STS.DecodeAuthorizationMessageRequest, { state }: RequestContext): STS.DecodeAuthorizationMessageResponse {
  const bytes = Buffer.from(input.EncodedMessage, 'base64url');
  const packed = bytes.subarray(SEAL_BYTES);
  if (bytes.length <= SEAL_BYTES || !sealHolds(state, PURPOSE, packed, bytes.subarray(0, SEAL_BYTES))) {
    throw new AwsError('InvalidAuthorizationMessageException', 'Message is not valid', { status: 400 });
  }
  return { DecodedMessage: inflateRawSync(packed, { maxOutputLength: MESSAGE_BYTES }).toString('utf8') };
}

/** The shape AWS decodes to (STS API reference, DecodeAuthorizationMessage). */
function message({ allowed, reason, request, explanation }: Decision): unknown {
  const { principal } = request;
  const conditions = Object.entries(request.context).flatMap(([key, value]) => {
    if (value === undefined) return [];
    const values = typeof value === 'object' ? value : [String(value)];
    return [{ key, values: { items: values.map((item) => ({ value: item })) } }];
  });
  const matched = explanation.policies.flatMap((policy) =>
    policy.statements
      .filter((statement) => statement.mismatch === undefined && statement.effect === (allowed ? 'Allow' : 'Deny'))
      .map((statement) => ({ statementId: statement.sid ?? '', effect: statement.effect.toUpperCase(), sourcePolicyId: policy.name, sourcePolicyType: policy.type })),
  );
  return {
    allowed,
    explicitDeny: reason.kind === 'explicit deny',
    matchedStatements: { items: matched },
    failures: { items: [] },
    context: {
      principal: { id: 'userId' in principal ? principal.userId : explanation.caller, arn: explanation.caller },
      action: request.action,
      resource: request.resource,
      conditions: { items: conditions },
    },
  };
}
