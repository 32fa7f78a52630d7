import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { STAND_INS } from '../../shared/stand-ins.js';
import { pythonFolder, type Mount } from '../process/index.js';
import { treesFolder } from './trees.js';

/** Programs put before the machine's own on a build's PATH, and what they need. */
export interface Launchers {
  readonly bin: string;
  /** Behind all others on the PATH: what stands in where a machine has nothing. */
  readonly last: string;
  readonly env: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
}

const require = createRequire(import.meta.url);
const data = (name: string): string => readFileSync(new URL(`./data/${name}`, import.meta.url), 'utf8');

/** Tools the CDK's own buildspecs install; they are Flotilla's dependencies, so a build needs no round trip for them. */
const TOOLS = ['aws-cdk', 'cdk-assets'];

/** Beside what apps take for granted: `n`, which CodeBuild's images have (aws/aws-codebuild-docker-images, ubuntu/standard/7.0/Dockerfile). */
const LAST = { ...STAND_INS, n: 'n@10' };

/** Writes the launchers into the cloud's folder; the same files each time. */
export function writeLaunchers(directory: string, endpoint: string): Launchers {
  const root = join(directory, 'launchers');
  const bin = join(root, 'bin');
  const trees = treesFolder(directory);
  const npmCache = join(directory, 'cache', 'npm');
  const pipCache = join(directory, 'cache', 'pip');
  const last = join(root, 'last');
  for (const folder of [bin, last, trees, npmCache, pipCache]) mkdirSync(folder, { recursive: true });
  const script = (name: string, text: string): void => {
    const file = join(bin, name);
    if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
    chmodSync(file, 0o755);
  };
  writeFileSync(join(root, 'npm.mjs'), data('npm-launcher.mjs'));
  for (const name of ['tree-print.mjs', 'preload.cjs']) writeFileSync(join(root, name), data(name));
  script('npm', npmLauncher(root));
  script('aws', awsLauncher(bin));
  script('curl', curlLauncher(bin));
  script('docker', dockerLauncher(bin));
  for (const name of ['python', 'python3']) script(name, pythonLauncher(name, bin));
  for (const [name, spec] of Object.entries(LAST)) script(join('..', 'last', name), `#!/bin/sh\nexec npx --yes ${spec} "$@"\n`);
  for (const name of ['pip', 'pip3']) script(name, `#!/bin/sh\nexec "${join(bin, 'python3')}" -m pip "$@"\n`);
  const tools = Object.fromEntries(TOOLS.map((name) => [name, packageFolder(name)]).filter((entry): entry is [string, string] => entry[1] !== undefined));
  return {
    bin,
    last,
    env: {
      FLOTILLA_LAUNCHERS: bin,
      FLOTILLA_TOOLS: JSON.stringify(tools),
      FLOTILLA_TREES: trees,
      FLOTILLA_ENDPOINT: endpoint,
      ...engineSettings(),
      NODE_OPTIONS: `--require=${join(root, 'preload.cjs')}`,
      npm_config_cache: npmCache,
      PIP_CACHE_DIR: pipCache,
      PYTHONPATH: pythonFolder(),
      npm_config_update_notifier: 'false',
      // A rehearsal tells nobody that the CLI is used, and waits for no answer.
      CDK_DISABLE_CLI_TELEMETRY: 'true',
    },
    mounts: [{ source: root }, { source: pythonFolder() }, { source: trees }, { source: npmCache, writable: true }, { source: pipCache, writable: true }, ...[...new Set(Object.values(tools).map(nodeModulesOf))].map((source) => ({ source }))],
  };
}

function packageFolder(name: string): string | undefined {
  try {
    return dirname(require.resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}

function nodeModulesOf(folder: string): string {
  return folder.slice(0, folder.lastIndexOf('/node_modules/') + '/node_modules'.length);
}

/** Finds the next program of this name on the PATH: `$real`; `$rest` is the PATH without the launchers, for programs that look themselves up again. */
const NEXT = (name: string, bin: string): string => `real=
rest=
IFS=:
for folder in $PATH; do
  [ "$folder" = "${bin}" ] && continue
  rest="\${rest:+$rest:}$folder"
  if [ -z "$real" ] && [ -x "$folder/${name}" ]; then real="$folder/${name}"; fi
done
unset IFS
if [ -z "$real" ]; then echo "${name}: not installed on this machine" >&2; exit 127; fi
`;

function npmLauncher(root: string): string {
  return `#!/bin/sh
case "$1" in
  ci|install|i|add) exec node "${join(root, 'npm.mjs')}" "$@" ;;
esac
${NEXT('npm', join(root, 'bin'))}exec "$real" "$@"
`;
}

/**
 * Before the AWS CLI: a version that doesn't know AWS_ENDPOINT_URL (Debian's 2.9) gets it as an option; v1 doesn't know
 * --cli-binary-format, whose value raw-in-base64-out is what v1 does anyway.
 */
function awsLauncher(bin: string): string {
  return `#!/bin/sh
${NEXT('aws', bin)}PATH=$rest
version=$("$real" --version 2>&1 | sed -n 's#^aws-cli/\\([0-9]*\\)\\.\\([0-9]*\\).*#\\1 \\2#p')
major=\${version%% *}; minor=\${version##* }
if [ "$major" = 1 ]; then
  skip=; n=$#
  while [ $n -gt 0 ]; do
    arg=$1; shift; n=$((n - 1))
    if [ -n "$skip" ]; then skip=; continue; fi
    case "$arg" in
      --cli-binary-format) skip=1; continue ;;
      --cli-binary-format=*) continue ;;
    esac
    set -- "$@" "$arg"
  done
fi
if { [ "$major" = 2 ] && [ "\${minor:-0}" -lt 13 ]; } || { [ "$major" = 1 ] && [ "\${minor:-0}" -lt 29 ]; }; then
  exec "$real" --endpoint-url "$AWS_ENDPOINT_URL" "$@"
fi
exec "$real" "$@"
`;
}

/** Before curl: URLs of deployed APIs and functions (https://ID.execute-api.REGION.amazonaws.com/…) are asked of the local cloud. */
function curlLauncher(bin: string): string {
  return `#!/bin/sh
${NEXT('curl', bin)}PATH=$rest
n=$#
while [ $n -gt 0 ]; do
  arg=$1; shift; n=$((n - 1))
  case "$arg" in
    https://*.execute-api.*.amazonaws.com*|https://*.lambda-url.*.on.aws*)
      url=\${arg#https://}; host=\${url%%[/?]*}
      set -- "$@" -H "Host: $host" "$FLOTILLA_ENDPOINT\${url#"$host"}" ;;
    *) set -- "$@" "$arg" ;;
  esac
done
exec "$real" "$@"
`;
}

/** What leads a container engine to its daemon or its storage; nothing here proves who the user is. */
const ENGINE_SETTINGS = ['DOCKER_HOST', 'CONTAINER_HOST', 'CONTAINERS_STORAGE_CONF', 'STORAGE_DRIVER', 'BUILDAH_ISOLATION'];

function engineSettings(user: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const kept = ENGINE_SETTINGS.flatMap((name) => (user[name] === undefined ? [] : [[name, user[name]]]));
  return { ...(Object.fromEntries(kept) as Record<string, string>), ...(user['CDK_DOCKER'] ? { FLOTILLA_ENGINE: user['CDK_DOCKER'] } : {}) };
}

/**
 * `docker` of a build: the engine that CDK_DOCKER names, else the first that answers. An ECR registry stands for the local cloud's own, whose address
 * the engine is given with the registry's name as the first part of the repository; a login holds for that address.
 */
function dockerLauncher(bin: string): string {
  return `#!/bin/sh
rest=
IFS=:
for folder in $PATH; do [ "$folder" = "${bin}" ] || rest="\${rest:+$rest:}$folder"; done
unset IFS
PATH=$rest
engine=$FLOTILLA_ENGINE
if [ -z "$engine" ]; then
  for name in docker finch podman buildah; do
    command -v "$name" >/dev/null 2>&1 || continue
    case "$name" in
      docker|finch) "$name" version >/dev/null 2>&1 || { silent="$silent $name"; continue; } ;;
    esac
    engine=$name
    break
  done
fi
if [ -z "$engine" ]; then
  echo "docker: no container engine answers on this machine (\${silent:+not answering:$silent; }looked for docker, finch, podman, buildah). Install or start one, or name it with CDK_DOCKER; within bubblewrap none can be reached (flotilla run --isolation process)" >&2
  exit 127
fi
local=\${FLOTILLA_ENDPOINT#*://}
verb=$1
ours=
n=$#
while [ $n -gt 0 ]; do
  arg=$1; shift; n=$((n - 1))
  name=\${arg#http*://}
  case "$name" in
    "$local"|"$local"/*) ours=1 ;;
    [0-9]*.dkr.ecr.*.amazonaws.com|[0-9]*.dkr.ecr.*.amazonaws.com/*)
      ours=1
      if [ "$verb" = login ] || [ "$verb" = logout ]; then arg=$local; else arg=$local/$name; fi ;;
  esac
  set -- "$@" "$arg"
done
# These refuse a registry without TLS unless told; docker and finch take one on loopback.
case "\${engine##*/}" in podman|buildah)
  case "$ours$verb" in 1login|1push|1pull) shift; set -- "$verb" --tls-verify=false "$@" ;; esac ;;
esac
case "\${engine##*/}$verb" in buildahinspect) shift; set -- inspect --type image "$@" ;; esac
exec "$engine" "$@"
`;
}

/** Folder below HOME that holds what a build installs with pip; its programs are on the PATH. */
export const PYTHON = '.python';

/** Folder below HOME for the Node that a build switches to with n, never this machine's own; before that on the PATH. */
export const NODE = '.n';

/**
 * Before Python: a build installs packages as on AWS, where the image is its own, but must not touch this machine's. So it gets an environment
 * of its own that sees what is installed here. Activated environments stand before this on the PATH and are left alone.
 */
function pythonLauncher(name: string, bin: string): string {
  return `#!/bin/sh
own="$HOME/${PYTHON}"
if [ ! -x "$own/bin/python3" ]; then
${NEXT('python3', bin)}  PATH=$rest "$real" -m venv --system-site-packages --without-pip "$own" || exit $?
fi
exec "$own/bin/${name}" "$@"
`;
}
