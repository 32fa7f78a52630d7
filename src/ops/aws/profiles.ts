import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** A profile of the AWS configuration files, its settings as they stand there. */
export interface Profile {
  readonly name: string;
  readonly settings: Readonly<Record<string, string>>;
}

export interface AwsConfiguration {
  readonly profiles: ReadonlyMap<string, Profile>;
  /** Endpoints of `[services NAME]` sections, by section and service. */
  readonly services: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

/** The user's AWS configuration: `~/.aws/config` and `~/.aws/credentials`, or where the environment says they are. */
export function awsConfiguration(environment: NodeJS.ProcessEnv): AwsConfiguration {
  const home = environment['HOME'] ?? homedir();
  const config = sections(read(environment['AWS_CONFIG_FILE'] ?? join(home, '.aws', 'config')));
  const credentials = sections(read(environment['AWS_SHARED_CREDENTIALS_FILE'] ?? join(home, '.aws', 'credentials')));
  const profiles = new Map<string, Profile>();
  const add = (name: string, settings: Record<string, string>): void => void profiles.set(name, { name, settings: { ...profiles.get(name)?.settings, ...settings } });
  const services = new Map<string, Record<string, string>>();
  for (const [title, settings] of config) {
    const [kind = '', ...rest] = title.split(/\s+/);
    if (title === 'default') add('default', settings);
    else if (kind === 'profile') add(rest.join(' '), settings);
    else if (kind === 'services') services.set(rest.join(' '), settings);
  }
  for (const [title, settings] of credentials) add(title, settings);
  return { profiles, services };
}

/** A profile and those it takes its credentials from, nearest first. */
export function profileChain(configuration: AwsConfiguration, name: string): Profile[] {
  const chain: Profile[] = [];
  for (let next: string | undefined = name; next !== undefined && !chain.some((profile) => profile.name === next); ) {
    const profile = configuration.profiles.get(next);
    if (!profile) break;
    chain.push(profile);
    next = profile.settings['source_profile'];
  }
  return chain;
}

/** Profiles that lead into an account: by SSO, or by a role of that account. */
export function profilesInto(configuration: AwsConfiguration, account: string): string[] {
  return [...configuration.profiles.values()]
    .filter(({ settings }) => (settings['role_arn'] === undefined ? settings['sso_account_id'] === account : settings['role_arn'].split(':')[4] === account))
    .map(({ name }) => name);
}

function read(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/** Sections of an INI file as AWS writes it; indented lines belong to the setting above (`s3 =` and its `endpoint_url`) and are kept as `s3.endpoint_url`. */
function sections(text: string): [string, Record<string, string>][] {
  const found: [string, Record<string, string>][] = [];
  let parent = '';
  for (const line of text.split(/\r?\n/)) {
    const title = /^\s*\[\s*([^\]]+?)\s*\]/.exec(line)?.[1];
    if (title !== undefined) {
      found.push([title.replaceAll('"', ''), {}]);
      continue;
    }
    const [, indent, key, value] = /^(\s*)([A-Za-z0-9_]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    const current = found.at(-1)?.[1];
    if (key === undefined || current === undefined) continue;
    if (indent === '') parent = key.toLowerCase();
    current[indent === '' ? parent : `${parent}.${key.toLowerCase()}`] = value!.replace(/\s[#;].*$/, '');
  }
  return found;
}
