import { unreachable } from '../../../shared/errors.js';
import { hasResourceType } from '../../models/resources.js';
import { modelledProvider } from './modelled.js';
import type { ResourceProvider } from './provider.js';

/** The families with behaviour. A new one is a file here and a line. */
const FAMILIES: readonly (readonly ResourceProvider[])[] = [];

const known = new Map(FAMILIES.flat().map((provider) => [provider.type, provider]));

/** The provider of a type: its own, that of all custom resources, or the schema's. Unknown types were refused with the template. */
export function providerOf(type: string): ResourceProvider {
  const own = known.get(type) ?? (type.startsWith('Custom::') ? known.get('AWS::CloudFormation::CustomResource') : undefined);
  if (own) return own;
  if (!hasResourceType(type)) return unreachable(`no provider for ${type}`);
  const provider = modelledProvider(type);
  known.set(type, provider);
  return provider;
}
