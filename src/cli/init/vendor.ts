import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FlotillaError } from '../../shared/errors.js';

const TARBALL = join('vendor', 'flotilla.tgz');

/**
 * Packs the running package into the app's `vendor/`, from where its package.json takes it until the package is published: npm, CodeBuild and
 * caches see what a registry would hand out. The lockfile holds the tarball's hash. Raises INI003.
 */
export function vendorPackage(app: string): string {
  mkdirSync(join(app, 'vendor'), { recursive: true });
  const packed = mkdtempSync(join(app, 'vendor', '.pack-'));
  try {
    execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', packed], { cwd: packageFolder(), stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
    renameSync(join(packed, readdirSync(packed)[0]!), join(app, TARBALL));
  } catch (error) {
    throw new FlotillaError('INI003', 'the package could not be packed', { why: ((error as { readonly stderr?: string }).stderr || (error as Error).message).trim(), fix: 'npm has to be on the PATH', cause: error });
  } finally {
    rmSync(packed, { recursive: true, force: true });
  }
  lock(join(app, 'package-lock.json'), readFileSync(join(app, TARBALL)));
  return TARBALL;
}

function lock(file: string, tarball: Buffer): void {
  const content = JSON.parse(readFileSync(file, 'utf8')) as { readonly packages: Readonly<Record<string, { integrity?: string }>> };
  content.packages['node_modules/flotilla']!.integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
}

/** The nearest folder above this file that is the package. */
function packageFolder(): string {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { readonly name?: string }).name === 'flotilla') return folder;
  }
  throw new FlotillaError('INI003', 'the package could not be packed', { why: `no package.json of Flotilla lies above ${import.meta.dirname}`, fix: 'install flotilla again' });
}
