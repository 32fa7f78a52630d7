import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseFiles } from '../../../src/local/build/files.js';
import { runPhase } from '../../../src/local/build/phase.js';
import { archive, entries, extract, type ArchiveFile } from '../../../src/local/process/zip.js';

/** What code leaves behind must not lead the server out of the workspace: by no archive, link, pipe or name. */

let folder: string;
let workspace: string;
let source: string;
let secret: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flotilla-inside-'));
  workspace = join(folder, 'workspace');
  source = join(workspace, 'src');
  mkdirSync(source, { recursive: true });
  secret = join(folder, 'secret');
  writeFileSync(secret, 'KEY=of the user\n');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const text = (name: string, content = 'x'): ArchiveFile => ({ name, data: Buffer.from(content) });
const link = (name: string, target: string): ArchiveFile => ({ name, data: new Uint8Array(), link: target });
const artifacts = { files: ['**/*'], excludePaths: [], baseDirectory: undefined, discardPaths: false, name: undefined, followLinks: true };

describe('an archive', () => {
  it.each(['../out', '/abs', 'a/../../out', 'C:\\x', 'a\\..\\..\\out'])('with the path %j is refused whole', async (name) => {
    // The writer refuses such names, so one of the same length is written and changed in the bytes.
    const decoy = 'z'.repeat(Buffer.byteLength(name));
    const bytes = Buffer.from((await archive([text(decoy)])).buffer as ArrayBuffer);
    const evil = Buffer.from(bytes.toString('latin1').replaceAll(decoy, name), 'latin1');
    await expect(extract(evil, source)).rejects.toMatchObject({ code: 'InvalidArtifact' });
    expect(existsSync(join(workspace, 'out'))).toBe(false);
  });

  it.each([[[link('a', '../../secret')]], [[link('a', '/etc/passwd')]], [[link('d/up', '..'), link('a', 'd/up/../../secret')]], [[link('a', 'b/../../x')]]])('with links that lead out is refused: %j', async (files) => {
    await expect(archive(files).then((bytes) => extract(bytes, source))).rejects.toMatchObject({ code: 'InvalidArtifact' });
  });

  it('keeps links that stay inside', async () => {
    await extract(await archive([text('lib/x.so.1'), link('lib/x.so', 'x.so.1'), link('bin/x', '../lib/x.so.1')]), source);
    expect(readlinkSync(join(source, 'bin', 'x'))).toBe('../lib/x.so.1');
    expect(readFileSync(join(source, 'bin', 'x'), 'utf8')).toBe('x');
  });

  it('is not written through links that were there before', async () => {
    symlinkSync(folder, join(source, 'sub'));
    symlinkSync(secret, join(source, 'file'));
    await expect(extract(await archive([text('sub/secret', 'overwritten')]), source)).rejects.toMatchObject({ code: 'InvalidArtifact' });
    await extract(await archive([text('file', 'own')]), source);
    expect(readFileSync(secret, 'utf8')).toBe('KEY=of the user\n');
    expect(readFileSync(join(source, 'file'), 'utf8')).toBe('own');
  });

  it('that unfolds to far more than itself is refused', async () => {
    const bomb = await archive([text('zeros', '\0'.repeat(64 * 1024 * 1024))]);
    expect(bomb.byteLength).toBeLessThan(100_000);
    await expect(entries(bomb)).rejects.toMatchObject({ code: 'InvalidArtifact', message: expect.stringContaining('unfolds to more') });
  });
});

describe('a damaged archive', () => {
  it('is an error with a code, whatever the damage', async () => {
    const whole = await archive([text('a', 'hello '.repeat(100)), text('b/c', 'x'), link('d', 'a')]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(whole.byteLength - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }), fc.nat(whole.byteLength), async (changes, end) => {
        const bytes = Buffer.from(whole.subarray(0, end % 3 === 0 ? end : undefined));
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        await entries(bytes).catch((error: unknown) => expect(error).toMatchObject({ code: 'InvalidArtifact' }));
      }),
      { numRuns: 300 },
    );
  });
});

describe('artifacts', () => {
  it.each(['../..', '/', '/etc'])('from the base directory %j are refused', (baseDirectory) => {
    expect(() => chooseFiles({ ...artifacts, baseDirectory }, source)).toThrow('leads out of it');
  });

  it('follow no link out of the workspace', () => {
    symlinkSync(secret, join(source, 'innocent.txt'));
    expect(() => chooseFiles(artifacts, source)).toThrow("'innocent.txt' leads out of it");
    rmSync(join(source, 'innocent.txt'));
    symlinkSync(folder, join(source, 'up'));
    expect(() => chooseFiles({ ...artifacts, baseDirectory: 'up' }, source)).toThrow('leads out of it');
  });
});

describe('the files of a phase', () => {
  const home = (): string => join(folder, 'home');
  const phase = (commands: string[]) => {
    mkdirSync(home(), { recursive: true });
    return runPhase({ commands, shell: 'sh', state: { env: { PATH: process.env['PATH']!, HOME: home() }, cwd: source }, scratch: join(workspace, '.scratch'), workspace, home: home(), isolation: 'process', mounts: [], secrets: [], timeoutMs: 10_000, onLine: () => {}, onCommand: () => {}, onStart: () => {} });
  };

  it('are not read through links or pipes that the code put there', async () => {
    const scratch = join(workspace, '.scratch');
    const linked = await phase([`trap - EXIT; rm -f "${scratch}/env"; ln -s "${secret}" "${scratch}/env"; ln -s "${secret}" "${scratch}/cwd"`]);
    expect(linked.state.env['KEY']).toBeUndefined();
    expect(linked.state.cwd).toBe(source);
    const piped = await phase([`trap - EXIT; mkfifo "${scratch}/env" "${scratch}/cwd"`]);
    expect(piped.state.cwd).toBe(source);
  });

  it('are not written through links that the code put there', async () => {
    const scratch = join(workspace, '.scratch');
    const outside = join(folder, 'outside');
    mkdirSync(outside);
    await phase([`trap - EXIT; rm -rf "${scratch}"; ln -s "${outside}" "${scratch}"`]);
    const next = await phase(['X=kept']);
    expect(next.state.env['X']).toBe('kept');
    expect(execFileSync('ls', [outside], { encoding: 'utf8' })).toBe('');
  });
});
