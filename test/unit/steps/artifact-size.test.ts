import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { judgeArtifact } from '../../../src/steps/artifact-size.js';

const folder = mkdtempSync(join(tmpdir(), 'artifact-'));
afterAll(() => rmSync(folder, { recursive: true }));
let nth = 0;

const MB = 1024 ** 2;

function assembly(...files: Buffer[]): string {
  const made = join(folder, String(nth++));
  mkdirSync(join(made, 'asset.1'), { recursive: true });
  for (const [index, content] of files.entries()) writeFileSync(join(made, 'asset.1', `${index}.js`), content);
  return made;
}

describe('the artifact that becomes of an assembly', () => {
  it('is worth no word as long as it is small, also by being compressed', () => {
    expect(judgeArtifact(assembly(randomBytes(MB)), 4 * MB)).toBeUndefined();
    expect(judgeArtifact(assembly(Buffer.alloc(9 * MB, 'a')), 4 * MB)).toBeUndefined();
  });

  it('draws a warning from 80 % on', () => {
    expect(judgeArtifact(assembly(randomBytes(2 * MB), randomBytes(1.5 * MB)), 4 * MB)).toEqual({ fits: true, text: expect.stringMatching(/^⚠ PRE005 the assembly makes an artifact of 4 MB, and CloudFormation actions take 4 MB\n {2}why .*\n {2}fix {2}artifacts: \{ templatesOnly: true \}/) });
  });

  it('does not fit beyond the limit; what a link points to is not in it', () => {
    const large = assembly(randomBytes(5 * MB));
    expect(judgeArtifact(large, 4 * MB)).toMatchObject({ fits: false, text: expect.stringContaining('✖ PRE005') });
    const linked = assembly();
    symlinkSync(large, join(linked, 'elsewhere'));
    expect(judgeArtifact(linked, 4 * MB)).toBeUndefined();
  });
});
