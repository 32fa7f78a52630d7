// The two Python packages the models come from, at pinned versions, as unpacked folders.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const VERSIONS = { botocore: '1.44.5', 'cfn-lint': '1.58.0' };

/** `from` holds the wheels (or both packages unpacked); without it pip downloads them. */
export function unpackWheels(from) {
  const folder = from ?? download();
  if (existsSync(join(folder, 'botocore', 'data')) && existsSync(join(folder, 'cfnlint', 'data'))) return folder;
  const target = mkdtempSync(join(tmpdir(), 'flotilla-models-'));
  for (const [name, version] of Object.entries(VERSIONS)) {
    const wheel = readdirSync(folder).find((file) => file.startsWith(`${name.replace('-', '_')}-${version}-`) && file.endsWith('.whl'));
    if (!wheel) {
      process.stderr.write(`generate-models: no wheel of ${name} ${version} in ${folder}\n`);
      process.exit(1);
    }
    execFileSync('python3', ['-m', 'zipfile', '-e', join(folder, wheel), target]);
  }
  return target;
}

function download() {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-wheels-'));
  const pinned = Object.entries(VERSIONS).map(([name, version]) => `${name}==${version}`);
  execFileSync('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', folder, ...pinned], { stdio: 'inherit' });
  return folder;
}
