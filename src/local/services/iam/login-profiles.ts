import { createHash } from 'node:crypto';
import { AwsError } from '../../kernel/error.js';
import type { RequestContext } from '../../kernel/service.js';
import type * as IAM from '../../models/types/iam.js';
import { GLOBAL, table } from '../../state/state.js';
import type { Handlers } from './handlers.js';
import { absent, exists, saveUser, userOf, type User } from './store.js';

/** Passwords of users and the account's rules for them. The local cloud has no console; they are kept for what manages them. */

type Rules = IAM.UpdateAccountPasswordPolicyRequest;

const passwordPolicies = table<Rules>('iam', 'password-policy');

export const loginProfileOperations = {
  CreateLoginProfile: (input, context) => {
    const user = userOf(context, input.UserName);
    if (user.loginProfile) exists(`Login Profile for user ${user.name} already exists.`);
    const updated = withPassword(user, input.Password ?? '', input.PasswordResetRequired === true, context);
    return { LoginProfile: shownProfile(updated) };
  },

  GetLoginProfile: (input, context) => ({ LoginProfile: shownProfile(withProfile(userOf(context, input.UserName))) }),

  UpdateLoginProfile: (input, context) => {
    const user = withProfile(userOf(context, input.UserName));
    const reset = input.PasswordResetRequired ?? user.loginProfile.resetRequired;
    if (input.Password === undefined) saveUser(context, { ...user, loginProfile: { ...user.loginProfile, resetRequired: reset } });
    else withPassword(user, input.Password, reset, context);
  },

  DeleteLoginProfile: (input, context) => {
    const { loginProfile: _, ...user } = withProfile(userOf(context, input.UserName));
    saveUser(context, user);
  },

  ChangePassword: (input, context) => {
    if (context.principal.kind !== 'user') {
      throw new AwsError('InvalidUserType', 'Only IAM Users can change their own password', { status: 400 });
    }
    const user = userOf(context, undefined);
    if (user.loginProfile?.hash !== hash(user, input.OldPassword)) {
      throw new AwsError('AccessDenied', 'The old password was incorrect.', { status: 403 });
    }
    withPassword(user, input.NewPassword, false, context);
  },

  GetAccountPasswordPolicy: (_input, context) => {
    const rules = passwordPolicies(context.state, context.account, GLOBAL).get('rules');
    if (!rules) return absent(`The Password Policy with domain name ${context.account} cannot be found.`);
    return { PasswordPolicy: shownRules(rules) };
  },

  UpdateAccountPasswordPolicy: (input, context) => {
    passwordPolicies(context.state, context.account, GLOBAL).put('rules', input);
  },

  DeleteAccountPasswordPolicy: (_input, context) => {
    const rules = passwordPolicies(context.state, context.account, GLOBAL);
    if (!rules.get('rules')) absent(`The account policy with name PasswordPolicy cannot be found.`);
    rules.delete('rules');
  },
} satisfies Handlers;

type WithProfile = User & { readonly loginProfile: NonNullable<User['loginProfile']> };

function withProfile(user: User): WithProfile {
  return user.loginProfile ? (user as WithProfile) : absent(`Login Profile for User ${user.name} cannot be found.`);
}

function withPassword(user: User, password: string, resetRequired: boolean, context: RequestContext): WithProfile {
  checkPassword(password, passwordPolicies(context.state, context.account, GLOBAL).get('rules'));
  const created = user.loginProfile?.created ?? context.now().getTime();
  const updated = { ...user, loginProfile: { created, resetRequired, hash: hash(user, password) } };
  saveUser(context, updated);
  return updated;
}

function checkPassword(password: string, rules: Rules | undefined): void {
  const violated = (message: string): never => {
    throw new AwsError('PasswordPolicyViolation', message, { status: 400 });
  };
  const minimum = rules?.MinimumPasswordLength ?? 8;
  if (password.length < minimum) violated(`Password should have a minimum length of ${minimum}`);
  if (rules?.RequireSymbols && !/[!@#$%^&*()_+\-=[\]{}|']/.test(password)) violated('Password should have at least one symbol');
  if (rules?.RequireNumbers && !/\d/.test(password)) violated('Password should have at least one number');
  if (rules?.RequireUppercaseCharacters && !/[A-Z]/.test(password)) violated('Password should have at least one uppercase letter');
  if (rules?.RequireLowercaseCharacters && !/[a-z]/.test(password)) violated('Password should have at least one lowercase letter');
}

function hash(user: User, password: string): string {
  return createHash('sha256').update(`${user.id}:${password}`).digest('hex');
}

function shownProfile(user: WithProfile): IAM.LoginProfile {
  const { created, resetRequired } = user.loginProfile;
  return { UserName: user.name, CreateDate: new Date(created), PasswordResetRequired: resetRequired };
}

function shownRules(rules: Rules): IAM.PasswordPolicy {
  const age = rules.MaxPasswordAge ?? 0;
  return {
    MinimumPasswordLength: rules.MinimumPasswordLength ?? 6,
    RequireSymbols: rules.RequireSymbols ?? false,
    RequireNumbers: rules.RequireNumbers ?? false,
    RequireUppercaseCharacters: rules.RequireUppercaseCharacters ?? false,
    RequireLowercaseCharacters: rules.RequireLowercaseCharacters ?? false,
    AllowUsersToChangePassword: rules.AllowUsersToChangePassword ?? false,
    ExpirePasswords: age > 0,
    ...(age > 0 ? { MaxPasswordAge: age } : {}),
    ...(rules.PasswordReusePrevention ? { PasswordReusePrevention: rules.PasswordReusePrevention } : {}),
    ...(rules.HardExpiry === undefined ? {} : { HardExpiry: rules.HardExpiry }),
  };
}
