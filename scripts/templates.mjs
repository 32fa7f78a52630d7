// Copies the examples to where `flotilla init` finds them in the package. npm leaves .gitignore out of packages: it goes by another name.
import { cpSync, existsSync, readdirSync, renameSync } from 'node:fs';
import { basename, join } from 'node:path';

const LEFT_OUT = ['node_modules', 'cdk.out', '.flotilla', 'vendor'];

export function copyTemplates(examples, target) {
  for (const name of readdirSync(examples)) {
    const folder = join(target, name);
    cpSync(join(examples, name), folder, { recursive: true, filter: (path) => !LEFT_OUT.includes(basename(path)) });
    if (existsSync(join(folder, '.gitignore'))) renameSync(join(folder, '.gitignore'), join(folder, 'gitignore'));
  }
}
