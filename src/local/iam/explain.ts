import type { Decision, Reason } from './decide.js';
import type { Change, PolicyAccount, StatementAccount } from './explanation.js';
import { principalArn } from './context.js';

/** A decision for people: `flotilla cloud why`. Plain text, several lines. */
export function explain(decision: Decision): string {
  const { request, explanation } = decision;
  const lines = [
    `${decision.allowed ? 'ALLOWED' : 'DENIED'}  ${request.action} on ${request.resource}`,
    '',
    `Asked by       ${explanation.caller}`,
    ...explanation.onBehalfOf.map((arn, i) => `${i === 0 ? 'On behalf of  ' : '              '} ${arn}${role(arn, i)}`),
    `Resource of    ${explanation.resourceAccount || 'nobody known'}${decision.sameAccount ? ' (the same account)' : ' (another account: both sides must allow)'}`,
    '',
    explanation.policies.length === 0 ? 'No policy applies.' : 'Policies, in the order they were looked at:',
    ...explanation.policies.flatMap(policyLines),
    '',
    `Because        ${because(decision.reason)}`,
  ];
  if (explanation.changes.length > 0) {
    lines.push('', explanation.changes.length === 1 ? 'The smallest change that would allow it:' : 'The smallest changes that together would allow it:');
    for (const change of explanation.changes) lines.push(...changeLines(change, decision));
  }
  return lines.join('\n');
}

function role(arn: string, position: number): string {
  if (position === 0) return arn.includes(':role/') ? ' (the role of this session)' : ' (who asked for this session)';
  return ' (who assumed it)';
}

function policyLines(policy: PolicyAccount): string[] {
  const title = `  ${policy.verdict.padEnd(8)} ${policy.type} ${policy.name}${policy.arn ? ` (${policy.arn})` : ''}`;
  if (policy.problem) return [title, `             ${policy.problem}`];
  const about = policy.statements.filter((statement) => statement.mismatch?.element !== 'Action' && statement.mismatch?.element !== 'NotAction');
  const others = policy.statements.length - about.length;
  const lines = about.map((statement) => `             ${statementLine(statement)}`);
  if (others > 0) lines.push(`             ${others} statement${others === 1 ? '' : 's'} about other actions`);
  return [title, ...lines];
}

function statementLine(statement: StatementAccount): string {
  const name = `statement ${statement.number}${statement.sid ? ` "${statement.sid}"` : ''} (${statement.effect})`;
  if (!statement.mismatch) return `${name} applies${statement.delegates ? '; it names only the account, so identity policies must allow too' : ''}`;
  return `${name} does not apply: ${statement.mismatch.element}: ${statement.mismatch.detail}`;
}

/** The reason of a decision in one clause. */
function because(reason: Reason): string {
  switch (reason.kind) {
    case 'allowed':
      return ALLOWED[reason.by];
    case 'explicit deny':
      return `statement ${reason.statement + 1} of ${reason.type} ${reason.policyArn ?? reason.policy} denies it explicitly`;
    case 'evaluation error':
      return `${reason.type} ${reason.policy} cannot be evaluated: ${reason.problem}`;
    case 'implicit deny':
      return `no ${reason.type} allows it`;
  }
}

const ALLOWED: Readonly<Record<Extract<Reason, { kind: 'allowed' }>['by'], string>> = {
  'no permission needed': 'the action needs no permission',
  'account root': 'the root user of the account may do everything in it',
  identity: 'an identity-based policy allows it',
  resource: 'the policy of the resource allows it',
  'identity and resource': 'both an identity-based policy of the caller and the policy of the resource allow it',
  grant: 'a grant of the key allows it',
};

function changeLines(change: Change, decision: Decision): string[] {
  if (change.kind === 'repair') return [`  repair ${change.type} ${change.policy}: ${change.problem}`];
  if (change.kind === 'remove') {
    const sid = change.sid ? ` "${change.sid}"` : '';
    return [`  remove or narrow statement ${change.statement}${sid} of ${change.type} ${change.policyArn ?? change.policy}`];
  }
  const statement = JSON.stringify(change.statement, null, 2)
    .split('\n')
    .map((line) => `    ${line}`);
  return [`  add to ${place(change, decision)}:`, ...statement];
}

function place(change: Extract<Change, { kind: 'add' }>, { request, policies }: Decision): string {
  switch (change.type) {
    case 'identity-based policy':
      return `an identity-based policy of ${principalArn(request.principal) ?? 'the caller'}`;
    case 'permissions boundary':
      return `the permissions boundary ${policies.boundary?.arn ?? policies.boundary?.name ?? ''} of ${principalArn(request.principal) ?? 'the caller'}`;
    case 'session policy':
      return 'the session policy given when these credentials were made';
    case 'role trust policy':
      return `the trust policy of ${request.resource}`;
    case 'resource-based policy':
      return `the policy of the resource ${request.resource}`;
    case 'service control policy':
      return `a service control policy at level ${change.tier + 1} above account ${request.principal.account}`;
    case 'resource control policy':
      return `a resource control policy at level ${change.tier + 1} above the resource's account`;
    case 'VPC endpoint policy':
      return 'the VPC endpoint policy';
  }
}
