import { createHash } from 'node:crypto';

/** Parameters AWS publishes that templates use as defaults, with the path patterns of the Systems Manager user guide ("Public parameters"). */
const PUBLIC = /^\/aws\/service\/(ami-amazon-linux-latest|ami-windows-latest|ecs\/optimized-ami|eks\/optimized-ami|bottlerocket|canonical\/ubuntu|debian\/release|suse|redhat)\/[A-Za-z0-9_./-]+$/;

/**
 * The value of a public parameter, or undefined where there is none. Image IDs are made from the name: stable, of AWS's form, and of no
 * image, since the local cloud boots none.
 */
export function publicParameter(name: string, region: string): string | undefined {
  if (!PUBLIC.test(name)) return undefined;
  const image = `ami-0${createHash('sha256').update(`${region}${name}`).digest('hex').slice(0, 16)}`;
  return /ecs\/optimized-ami\/.*\/recommended$/.test(name) ? JSON.stringify({ image_id: image, schema_version: 1, os: 'linux', image_version: '1' }) : image;
}
