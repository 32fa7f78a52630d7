import type { App } from 'aws-cdk-lib';
import { BuildSpec } from 'aws-cdk-lib/aws-codebuild';
import type { CodeBuildOptions } from 'aws-cdk-lib/pipelines';
import { copyFileSync, cpSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { FlotillaError } from '../shared/errors.js';
import { pinnedTools } from './tools.js';

/**
 * Puts the program of Flotilla's own steps (preflight, permissions, protect, templates) into the cloud assembly, so that a pipeline runs
 * the version that synthesized it and installs nothing. Returns its path from the assembly's folder.
 */
export function addProgram(app: App): string {
  const folder = join(app.outdir, 'flotilla');
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(programFolder(), 'steps.cjs'), join(folder, 'steps.cjs'));
  if (pinnedTools().ownPublisher) cpSync(join(programFolder(), '..', 'publisher'), join(folder, 'bin'), { recursive: true });
  return 'flotilla/steps.cjs';
}

/** Lets builds that publish assets find the publisher of the assembly they start in before the one they install. */
export function publisherOptions(): CodeBuildOptions {
  if (!pinnedTools().ownPublisher) return {};
  return { partialBuildSpec: BuildSpec.fromObject({ version: '0.2', phases: { pre_build: { commands: ['chmod +x flotilla/bin/cdk-assets', 'export PATH="$PWD/flotilla/bin:$PATH"'] } } }) };
}

/** The folder of the steps' program in the package: beside the bundle, or in dist/ when the sources run. */
export function programFolder(): string {
  const folder = [join(__dirname, 'steps'), join(__dirname, '..', '..', 'dist', 'steps')].find((path) => existsSync(join(path, 'steps.cjs')));
  if (!folder) throw new FlotillaError('CDK012', 'the program of the pipeline’s own steps is missing', { why: `there is no steps/steps.cjs in ${__dirname}`, fix: 'install flotilla again' });
  return folder;
}
