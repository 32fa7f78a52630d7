import type { RequestContext } from '../../kernel/service.js';
import { GLOBAL } from '../../state/state.js';
import type { Handlers } from './handlers.js';
import { secretKey, uniqueId } from './ids.js';
import { page } from './pages.js';
import { absent, accessKeys, key, tooMany, userKeys, userOf, type AccessKey, type User } from './store.js';
import { keysOf } from './users.js';

const KEYS_PER_USER = 2;

export const accessKeyOperations = {
  CreateAccessKey: (input, context) => {
    const user = userOf(context, input.UserName);
    if (keysOf(user.name, context).length >= KEYS_PER_USER) tooMany(`Cannot exceed quota for AccessKeysPerUser: ${KEYS_PER_USER}`);
    const made: AccessKey = {
      id: uniqueId('AKIA'),
      account: context.account,
      user: user.name,
      secret: secretKey(),
      active: true,
      created: context.now().getTime(),
    };
    context.state.transaction(() => {
      accessKeys(context.state).put(made.id, made);
      userKeys(context.state, context.account, GLOBAL).put([key(user.name), made.id], made.id);
    });
    return { AccessKey: { UserName: user.name, AccessKeyId: made.id, Status: 'Active', SecretAccessKey: made.secret, CreateDate: new Date(made.created) } };
  },

  ListAccessKeys: (input, context) => {
    const user = userOf(context, input.UserName);
    const found = keysOf(user.name, context).map((id) => accessKeyOf(user, id, context));
    const { items, ...rest } = page(found, input, ({ id }) => id);
    const shown = items.map((item) => ({
      UserName: user.name,
      AccessKeyId: item.id,
      Status: item.active ? ('Active' as const) : ('Inactive' as const),
      CreateDate: new Date(item.created),
    }));
    return { AccessKeyMetadata: shown, ...rest };
  },

  UpdateAccessKey: (input, context) => {
    const found = accessKeyOf(userOf(context, input.UserName), input.AccessKeyId, context);
    accessKeys(context.state).put(found.id, { ...found, active: input.Status === 'Active' });
  },

  DeleteAccessKey: (input, context) => {
    const user = userOf(context, input.UserName);
    const found = accessKeyOf(user, input.AccessKeyId, context);
    context.state.transaction(() => {
      accessKeys(context.state).delete(found.id);
      userKeys(context.state, context.account, GLOBAL).delete(key(user.name), found.id);
    });
  },

  GetAccessKeyLastUsed: (input, context) => {
    const found = accessKeys(context.state).get(input.AccessKeyId);
    if (!found || found.account !== context.account) return absent(`The Access Key with id ${input.AccessKeyId} cannot be found.`);
    // AWS answers "N/A" for a key that was never used; the local cloud keeps no record of use.
    return { UserName: found.user, AccessKeyLastUsed: { ServiceName: 'N/A', Region: 'N/A' } as never };
  },
} satisfies Handlers;

function accessKeyOf(user: User, id: string, context: RequestContext): AccessKey {
  const found = accessKeys(context.state).get(id);
  if (!found || found.account !== context.account || key(found.user) !== key(user.name)) {
    return absent(`The Access Key with id ${id} cannot be found.`);
  }
  return found;
}
