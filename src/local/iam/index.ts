export { decide, type Decision, type Reason } from './decide.js';
export { compilePolicy, type CompiledPolicy } from './compile.js';
export { explain } from './explain.js';
export type { Change, Explanation, SuggestedStatement } from './explanation.js';
export type { PolicyType } from './evaluate.js';
export { accessDeniedCode, accessDeniedStatus, denialMessage, type MessageOptions } from './message.js';
export type { AttachedPolicy, AuthorizationRequest, Grant, NamedPolicy, PolicySet, Requester, WebIdentity } from './request.js';
export { validatePolicy, type PolicyKind } from './validate.js';
export { actionInfo, actionsOf, knownAction, type AccessLevel, type ActionInfo, type ResourceType } from './actions.js';
