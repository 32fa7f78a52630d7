import { mkdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { assumeRole } from '../kernel/assume.js';
import { AwsError, isAwsError } from '../kernel/error.js';
import type { Client, Runtime } from '../kernel/service.js';
import { prepareHome, resolveIsolation, type Isolation, type RunningProcess } from '../process/index.js';
import { readInside } from '../process/inside.js';
import { archive } from '../process/zip.js';
import { PHASES, parseBuildspec, type Artifacts, type Buildspec, type Phase, type PhaseName } from './buildspec.js';
import { restoreCache, saveCache } from './cache.js';
import { buildEnvironment } from './environment.js';
import { chooseFiles } from './files.js';
import { NODE, PYTHON, writeLaunchers } from './launchers.js';
import { buildLog, type BuildLog } from './log.js';
import { runPhase, type ShellState } from './phase.js';
import { buildArn, type Build, type BuildPhase, type BuildStatus, type Place } from './record.js';
import { keepReports } from './reports/index.js';
import { downloadSources } from './sources.js';
import { offerTrees, offersFolder, takeBackTrees, treesFolder } from './trees.js';

export interface BuildHooks {
  /** Notes the state of the build, durably. */
  save(change: Partial<Build>): Build;
  current(): Build;
  /** Gives the running process to whoever may have to stop it. */
  running(process: RunningProcess | undefined): void;
  /** URL and token of the credentials of the build's role. */
  credentialsEndpoint: { url: string; token: string };
  isolation: Parameters<typeof resolveIsolation>[0];
}

const SERVICE = 'codebuild.amazonaws.com';

/** Runs a build from its first phase to its last and answers how it ended. What fails is noted in the phase it failed in. */
export async function runBuild(runtime: Runtime, build: Build, hooks: BuildHooks): Promise<BuildStatus> {
  const work = new BuildRun(runtime, build, hooks);
  return work.run();
}

class BuildRun {
  private readonly folder: string;
  private readonly deadline: number;
  private client!: Client;
  private log!: BuildLog;

  constructor(
    private readonly runtime: Runtime,
    private readonly build: Build,
    private readonly hooks: BuildHooks,
  ) {
    this.folder = join(runtime.directory, 'builds', build.id.slice(build.id.indexOf(':') + 1));
    this.deadline = runtime.clock.now() + build.project.timeoutInMinutes * 60_000;
  }

  async run(): Promise<BuildStatus> {
    let state: { spec: Buildspec; shell: ShellState; folders: ReadonlyMap<string, string>; secrets: string[] } | undefined;
    let failed = false;
    rmSync(this.folder, { recursive: true, force: true });
    mkdirSync(join(this.folder, 'workspace'), { recursive: true, mode: 0o700 });
    try {
      for (const phase of ['SUBMITTED', 'QUEUED'] as const) await this.phase(phase, async () => {});
      failed = !(await this.phase('PROVISIONING', () => this.provision()));
      failed ||= !(await this.phase('DOWNLOAD_SOURCE', async () => void (state = await this.prepare())));
      if (!failed) failed = !(await this.phases(state!));
      // "Build phase transitions": what fails before BUILD leads straight to FINALIZING.
      if (state && !this.over() && (!failed || this.buildRan())) {
        const uploaded = await this.phase('UPLOAD_ARTIFACTS', () => this.upload(state!, failed));
        failed ||= !uploaded;
      }
    } finally {
      await this.phase('FINALIZING', async () => {
        await this.log?.flush();
        await takeBackTrees(treesFolder(this.runtime.directory), join(this.folder, 'workspace'));
        await rm(this.folder, { recursive: true, force: true });
      });
    }
    this.record({ phaseType: 'COMPLETED', startTime: this.now() });
    if (this.hooks.current().stopRequested) return 'STOPPED';
    if (this.runtime.clock.now() >= this.deadline) return 'TIMED_OUT';
    return failed ? 'FAILED' : 'SUCCEEDED';
  }

  private async provision(): Promise<void> {
    const { build, runtime } = this;
    this.client = await this.roleClient();
    const cloudWatch = build.project.logsConfig?.cloudWatchLogs;
    this.log = buildLog(runtime, this.client, build.logs.groupName, build.logs.streamName, cloudWatch?.status !== 'DISABLED');
    try {
      await this.log.open();
    } catch (error) {
      if (!isAwsError(error, 'AccessDeniedException')) throw error;
      throw new AwsError('ACCESS_DENIED', `Service role ${build.project.serviceRole} does not allow AWS CodeBuild to create Amazon CloudWatch Logs log streams for build ${buildArn(build)}. Error message: ${error.message}`, { status: 400 });
    }
    this.log.note('Waiting for agent ping');
  }

  private async roleClient(): Promise<Client> {
    const { build, runtime } = this;
    const key = build.pipeline?.accessKeyId;
    if (key !== undefined) {
      const principal = runtime.credential(key)?.principal;
      if (principal) return runtime.client({ principal, region: build.region });
    }
    try {
      return (await assumeRole(runtime, { roleArn: build.project.serviceRole, sessionName: `AWSCodeBuild-${build.id.slice(build.id.indexOf(':') + 1)}`, region: build.region, as: { service: SERVICE, account: build.account, sourceArn: buildArn(build) } })).client;
    } catch (error) {
      if (isAwsError(error, 'AccessDenied')) throw new AwsError('ACCESS_DENIED', `CodeBuild is not authorized to perform: sts:AssumeRole on service role. ${error.message}`, { status: 400 });
      throw error;
    }
  }

  private async prepare(): Promise<{ spec: Buildspec; shell: ShellState; folders: ReadonlyMap<string, string>; secrets: string[] }> {
    const { build, hooks, runtime } = this;
    const workspace = join(this.folder, 'workspace');
    const folders = await downloadSources(build, workspace, this.client);
    const source = folders.get('')!;
    this.log.note(`Phase is DOWNLOAD_SOURCE`);
    const spec = parseBuildspec(buildspecText(build, source));
    for (const key of spec.ignored) this.log.note(`The local cloud passes over '${key}' of the buildspec`);
    const { env, secrets } = await buildEnvironment(build, spec, folders, this.client);
    await restoreCache(build, spec.cachePaths, source, runtime.directory, this.client, (text) => this.log.note(text));
    // Only time depends on this: whoever calls `npm ci` in a script of his own gets a copy.
    if (PHASES.some((name) => spec.phases[name]?.commands.some((command) => command.includes('npm ci')))) offerTrees(treesFolder(runtime.directory), workspace, folders.values());
    const home = prepareHome(join(this.folder, 'home'));
    const launchers = writeLaunchers(runtime.directory, runtime.endpoint);
    const global = join(home, '.npm-global');
    const path = [launchers.bin, join(global, 'bin'), join(home, NODE, 'bin'), join(home, PYTHON, 'bin'), process.env['PATH'] ?? '', launchers.last].join(':');
    const shell: ShellState = {
      cwd: source,
      env: {
        ...launchers.env,
        FLOTILLA_OFFERS: offersFolder(workspace),
        npm_config_prefix: global,
        N_PREFIX: join(home, NODE),
        AWS_ENDPOINT_URL: runtime.endpoint,
        AWS_CONTAINER_CREDENTIALS_FULL_URI: hooks.credentialsEndpoint.url,
        AWS_CONTAINER_AUTHORIZATION_TOKEN: hooks.credentialsEndpoint.token,
        ...env,
        PATH: path,
      },
    };
    return { spec, shell, folders, secrets: [...secrets, hooks.credentialsEndpoint.token] };
  }

  /** The phases of the buildspec. Answers whether the build is still succeeding. */
  private async phases(state: { spec: Buildspec; shell: ShellState; secrets: string[] }): Promise<boolean> {
    const isolation = await resolveIsolation(this.hooks.isolation);
    let succeeding = true;
    let failed = false;
    for (const name of PHASES) {
      const declared = state.spec.phases[name];
      // After a failed install or pre_build nothing of the build runs any more; after a failed build, post_build still does.
      if (!succeeding && name !== 'post_build') continue;
      if (!succeeding && name === 'post_build' && !this.buildRan()) continue;
      if (this.over()) break;
      if (!declared) continue;
      for (const [runtimeName, version] of Object.entries(declared.runtimeVersions)) this.log.note(`Runtime ${runtimeName} ${version} was asked for; the local cloud uses what this machine has`);
      state.shell = { ...state.shell, env: { ...state.shell.env, CODEBUILD_BUILD_SUCCEEDING: failed ? '0' : '1' } };
      const ok = await this.phase(name.toUpperCase(), () => this.declared(name, declared, state, isolation));
      failed ||= !ok;
      // "CONTINUE: Continue to the next phase", of any phase: it stays failed, and the build doesn't fail by it. Later phases see that it
      // failed (aws-ia/terraform-aws-control_tower_account_factory#581).
      if (ok || declared.onFailure === 'CONTINUE') continue;
      succeeding = false;
      if (name !== 'build' || declared.onFailure === 'ABORT') break;
    }
    this.export(state.spec, state.shell);
    return succeeding;
  }

  /** "If any command in a phase fails, the phase fails", those of `finally` too; they run whatever came before. */
  private async declared(name: PhaseName, phase: Phase, state: { spec: Buildspec; shell: ShellState; secrets: string[] }, isolation: Isolation): Promise<void> {
    let failure: unknown;
    for (const commands of [phase.commands, phase.finally]) {
      if (failure !== undefined && this.over()) break;
      await this.commands(name, commands, state, isolation).catch((error: unknown) => (failure ??= error));
    }
    if (failure !== undefined) throw failure;
  }

  private buildRan(): boolean {
    return this.hooks.current().phases.some(({ phaseType }) => phaseType === 'BUILD');
  }

  private async commands(name: PhaseName, commands: readonly string[], state: { spec: Buildspec; shell: ShellState; secrets: string[] }, isolation: Isolation): Promise<void> {
    if (commands.length === 0) return;
    this.log.note(`Entering phase ${name.toUpperCase()}`);
    const scratch = join(this.folder, 'workspace', '.scratch');
    mkdirSync(scratch, { recursive: true });
    const end = await runPhase({
      commands,
      shell: state.spec.shell,
      state: state.shell,
      scratch,
      workspace: join(this.folder, 'workspace'),
      home: join(this.folder, 'home'),
      isolation,
      mounts: writeLaunchers(this.runtime.directory, this.runtime.endpoint).mounts,
      secrets: state.secrets,
      timeoutMs: Math.max(1, this.deadline - this.runtime.clock.now()),
      onLine: (line) => this.log.line(line),
      onCommand: (command) => this.log.note(`Running command ${command}`),
      onStart: (running) => {
        this.hooks.running(running);
        if (this.hooks.current().stopRequested) void running.stop();
      },
    });
    this.hooks.running(undefined);
    state.shell = end.state;
    if (end.exit.timedOut) throw new AwsError('BUILD_TIMED_OUT', `Build has timed out.`, { status: 400 });
    if (this.hooks.current().stopRequested) throw new AwsError('BUILD_STOPPED', 'Build was stopped.', { status: 400 });
    if (end.exit.code === 0) return;
    const reason = end.exit.error ?? (end.exit.signal ? `signal ${end.exit.signal}` : `exit status ${end.exit.code}`);
    this.log.note(`Command did not exit successfully ${end.failed ?? ''} ${reason}`);
    throw new AwsError('COMMAND_EXECUTION_ERROR', `Error while executing command: ${end.failed ?? ''}. Reason: ${reason}`, { status: 400 });
  }

  private export(spec: Buildspec, shell: ShellState): void {
    this.hooks.save({ exported: spec.exported.map((name) => ({ name, value: shell.env[name] ?? '' })) });
  }

  private async upload(state: { spec: Buildspec; shell: ShellState; folders: ReadonlyMap<string, string> }, failed: boolean): Promise<void> {
    const { build } = this;
    const source = state.folders.get('')!;
    if (!failed) await saveCache(build, state.spec.cachePaths, source, this.runtime.directory, this.client, (text) => this.log.note(text));
    await keepReports({
      build, reports: state.spec.reports, source, env: state.shell.env, client: this.client, note: (text) => this.log.note(text),
      made: (arn) => this.hooks.save({ reportArns: [...(this.hooks.current().reportArns ?? []), arn] }),
    });
    const outputs: Place[] = [];
    for (const { place, spec, target } of this.targets(state.spec)) {
      if (!spec) continue;
      const files = chooseFiles(spec, source);
      this.log.note(`Expanding ${spec.files.join(', ')}: found ${files.length} file(s)`);
      if (target === 'files') {
        for (const file of files) await this.put({ ...place, key: `${place.key}/${file.name}` }, file.data);
        outputs.push(place);
      } else outputs.push(await this.put(place, await archive(files)));
    }
    this.hooks.save({ outputs });
  }

  /** Where artifacts go: CodePipeline's places, or the project's buckets. */
  private targets(spec: Buildspec): { place: Place; spec: Artifacts | undefined; target: 'zip' | 'files' }[] {
    const { build } = this;
    if (build.pipeline) {
      return build.pipeline.outputs.map((place, index) => {
        const own = spec.secondaryArtifacts[place.name] ?? (index === 0 ? spec.artifacts : undefined);
        if (!own) throw new AwsError('CLIENT_ERROR', `no artifact in the buildspec is named ${place.name}: the action declares it as an output`, { status: 400 });
        return { place, spec: own, target: 'zip' as const };
      });
    }
    const all = [{ target: build.project.artifacts, spec: spec.artifacts }, ...build.project.secondaryArtifacts.map((target) => ({ target, spec: spec.secondaryArtifacts[target.artifactIdentifier ?? ''] }))];
    return all
      .filter(({ target }) => target.type === 'S3')
      .map(({ target, spec: own }) => {
        const name = own?.name ?? target.name ?? build.project.name;
        const key = [target.path, target.namespaceType === 'BUILD_ID' ? build.id.slice(build.id.indexOf(':') + 1) : undefined, name].filter(Boolean).join('/').replace(/^\/+/, '');
        return { place: { name: target.artifactIdentifier ?? '', bucket: target.location!.replace(/^arn:aws:s3:::/, ''), key }, spec: own, target: target.packaging === 'ZIP' ? ('zip' as const) : ('files' as const) };
      });
  }

  private async put(place: Place, content: Uint8Array): Promise<Place> {
    const key = this.build.pipeline ? this.build.pipeline.encryptionKey : this.build.project.encryptionKey;
    const { VersionId } = await this.client.call<{ VersionId?: string }>('s3', 'PutObject', { Bucket: place.bucket, Key: place.key, Body: content, ServerSideEncryption: 'aws:kms', ...(key ? { SSEKMSKeyId: key } : {}) });
    return { ...place, ...(VersionId ? { versionId: VersionId } : {}) };
  }

  private over(): boolean {
    return this.hooks.current().stopRequested === true || this.runtime.clock.now() >= this.deadline;
  }

  /** Runs one phase and notes it; false when it failed. */
  private async phase(phaseType: string, work: () => Promise<void>): Promise<boolean> {
    const startTime = this.now();
    this.hooks.save({ phase: phaseType });
    try {
      await work();
      this.record({ phaseType, phaseStatus: 'SUCCEEDED', startTime, endTime: this.now(), durationInSeconds: this.seconds(startTime), contexts: [{ statusCode: '', message: '' }] });
      this.log?.note(`Phase complete: ${phaseType} State: SUCCEEDED`);
      return true;
    } catch (error) {
      const statusCode = error instanceof AwsError ? error.code : 'CLIENT_ERROR';
      const message = error instanceof Error ? error.message : String(error);
      const stopped = statusCode === 'BUILD_STOPPED' ? 'STOPPED' : statusCode === 'BUILD_TIMED_OUT' ? 'TIMED_OUT' : 'FAILED';
      this.record({ phaseType, phaseStatus: stopped, startTime, endTime: this.now(), durationInSeconds: this.seconds(startTime), contexts: [{ statusCode, message }] });
      this.log?.note(`Phase complete: ${phaseType} State: ${stopped}`);
      this.log?.note(`Phase context status code: ${statusCode} Message: ${message}`);
      if (!(error instanceof AwsError)) this.runtime.log(`codebuild: ${this.build.id} ${phaseType}: ${error instanceof Error ? error.stack : String(error)}`);
      return false;
    }
  }

  private record(phase: BuildPhase): void {
    this.hooks.save({ phase: phase.phaseType, phases: [...this.hooks.current().phases, phase] });
  }

  private seconds(start: Date): number {
    return Math.round((this.runtime.clock.now() - start.getTime()) / 1000);
  }

  private now(): Date {
    return new Date(this.runtime.clock.now());
  }
}

/** Inline text, or the name of a file in the primary source (`buildspec.yml` by default). */
function buildspecText(build: Build, source: string): string {
  const given = build.project.source.buildspec;
  if (given !== undefined && (given.includes('\n') || given.trimStart().startsWith('{'))) return given;
  const name = given === undefined || given === '' ? 'buildspec.yml' : given;
  const text = readInside(join(source, name), source, MAX_BUILDSPEC_FILE);
  if (text === undefined) throw new AwsError('YAML_FILE_ERROR', `YAML file does not exist: ${name}`, { status: 400 });
  return text;
}

/** Bytes of a buildspec file; a source is somebody else's, and so is what its links and names lead to. */
const MAX_BUILDSPEC_FILE = 1024 * 1024;
