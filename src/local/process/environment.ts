import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

/** What a process may have of the user's environment: nothing here says who the user is or proves it. */
const KEPT: readonly RegExp[] = [/^PATH$/, /^LANG$/, /^LANGUAGE$/, /^LC_[A-Z]+$/, /^TZ$/, /^(https?|no|all|ftp)_proxy$/i, /^NODE_EXTRA_CA_CERTS$/, /^SSL_CERT_(FILE|DIR)$/, /^(REQUESTS|CURL|AWS)_CA_BUNDLE$/, /^PIP_CERT$/, /^(PYENV_ROOT|PYENV_VERSION|NVM_DIR|VOLTA_HOME|FNM_DIR|ASDF_DIR|ASDF_DATA_DIR|MISE_DATA_DIR|JAVA_HOME|GOROOT)$/];

const LOOPBACK = ['127.0.0.1', 'localhost', '::1'];

/**
 * The environment a process starts from: an allow-list of the user's (PATH, language, time zone, proxies and their certificates), a HOME of
 * its own, and an AWS configuration that is empty, so that no SDK finds the user's credentials. `home` was made by `prepareHome`.
 */
export function baseEnvironment(home: string, user: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const kept = Object.entries(user).filter((entry): entry is [string, string] => entry[1] !== undefined && KEPT.some((name) => name.test(entry[0])));
  const environment: Record<string, string> = Object.fromEntries(kept);
  const path = (environment['PATH'] ?? '/usr/local/bin:/usr/bin:/bin').split(delimiter);
  const node = dirname(process.execPath);
  if (!path.includes(node)) path.push(node);
  // Shims look for their tools below HOME, which is another here.
  const pyenv = join(homedir(), '.pyenv');
  if (environment['PYENV_ROOT'] === undefined && existsSync(pyenv)) environment['PYENV_ROOT'] = pyenv;
  return {
    ...environment,
    ...withoutProxy(environment),
    PATH: path.join(delimiter),
    HOME: home,
    TMPDIR: join(home, 'tmp'),
    XDG_CONFIG_HOME: join(home, '.config'),
    XDG_CACHE_HOME: join(home, '.cache'),
    XDG_DATA_HOME: join(home, '.local', 'share'),
    AWS_CONFIG_FILE: join(home, '.aws', 'config'),
    AWS_SHARED_CREDENTIALS_FILE: join(home, '.aws', 'credentials'),
    AWS_EC2_METADATA_DISABLED: 'true',
    // Git asks nobody: a build has no terminal.
    GIT_TERMINAL_PROMPT: '0',
  };
}

/** The local cloud is never reached through the user's proxy. */
function withoutProxy(environment: Record<string, string>): Record<string, string> {
  if (!Object.keys(environment).some((name) => /_proxy$/i.test(name))) return {};
  const given = (environment['NO_PROXY'] ?? environment['no_proxy'] ?? '').split(',').filter(Boolean);
  const all = [...new Set([...given, ...LOOPBACK])].join(',');
  return { NO_PROXY: all, no_proxy: all };
}

/**
 * Makes a home folder of a process's own: an empty AWS configuration, and of the user's package managers only the address of their registry,
 * never a token. Answers the folder.
 */
export function prepareHome(home: string, userHome: string = homedir(), user: NodeJS.ProcessEnv = process.env): string {
  for (const folder of ['tmp', '.aws']) mkdirSync(join(home, folder), { recursive: true, mode: 0o700 });
  for (const name of ['config', 'credentials']) once(join(home, '.aws', name), '');
  const npm = address(user['npm_config_registry'] ?? user['NPM_CONFIG_REGISTRY'] ?? setting(join(userHome, '.npmrc'), /^\s*registry\s*=\s*(\S+)/m));
  if (npm !== undefined) {
    once(join(home, '.npmrc'), `registry=${npm}\n`);
    once(join(home, '.yarnrc'), `registry "${npm}"\n`);
  }
  const pip = address(
    user['PIP_INDEX_URL'] ?? setting(join(userHome, '.config', 'pip', 'pip.conf'), /^\s*index[-_]url\s*=\s*(\S+)/m) ?? setting(join(userHome, '.pip', 'pip.conf'), /^\s*index[-_]url\s*=\s*(\S+)/m),
  );
  if (pip !== undefined) {
    mkdirSync(join(home, '.config', 'pip'), { recursive: true });
    once(join(home, '.config', 'pip', 'pip.conf'), `[global]\nindex-url = ${pip}\n`);
  }
  return home;
}

function once(path: string, text: string): void {
  if (!existsSync(path)) writeFileSync(path, text, { mode: 0o600 });
}

function setting(path: string, pattern: RegExp): string | undefined {
  try {
    return pattern.exec(readFileSync(path, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}

/** A registry's address without user name and password. */
function address(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  const parsed = new URL(url);
  if (parsed.protocol !== 'https:' && parsed.protocol !== 'http:') return undefined;
  parsed.username = '';
  parsed.password = '';
  return parsed.href;
}
