// npm writes into a lockfile only those optional packages it could see while making it. `npm ci` on another platform then says they are
// missing. This adds them by name and version, as their dependents declare them.
import { readFileSync, writeFileSync } from 'node:fs';

for (const file of process.argv.length > 2 ? process.argv.slice(2) : ['package-lock.json']) {
  const lock = JSON.parse(readFileSync(file, 'utf8'));
  const { packages } = lock;
  for (const [path, entry] of Object.entries(packages))
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {}))
      if (/^\d/.test(version) && !resolves(packages, path, name)) packages[`node_modules/${name}`] = platformPackage(name, version, entry.dev);
  lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
}

/** Whether a package is found from `path` upwards. */
function resolves(packages, path, name) {
  for (let base = path; ; base = base.slice(0, Math.max(0, base.lastIndexOf('/node_modules/')))) {
    if (packages[`${base === '' ? '' : `${base}/`}node_modules/${name}`]) return true;
    if (base === '') return false;
  }
}

/** Operating system and processor stand in the names of such packages. */
function platformPackage(name, version, dev) {
  const cpu = ['arm64', 'x64', 'ia32', 'arm', 'ppc64', 'riscv64', 's390x', 'loong64'].find((part) => new RegExp(`-${part}(-|$)`).test(name));
  const os = ['darwin', 'linux', 'win32', 'freebsd', 'android', 'openharmony'].find((part) => name.includes(`-${part}`) || name.includes(`/${part}`));
  return { version, ...(cpu ? { cpu: [cpu] } : {}), ...(dev ? { dev: true } : {}), optional: true, ...(os ? { os: [os] } : {}) };
}
