import type { Path } from '../../config/index.js';
import type { Approval, Wave } from '../model.js';
import { pascalCase, type Report } from './names.js';
import { stepsOf, type ResolvedEnvironment, type TargetGroup } from './targets.js';

/** Names of the stages that CDK Pipelines gives a pipeline itself (pipelines/lib/codepipeline/codepipeline.ts). */
const OWN_STAGES = ['Source', 'Build', 'UpdatePipeline', 'Assets'];

/** Names of the actions that the constructs add to a wave themselves (src/cdk/gates.ts). */
const OWN_STEPS = ['CheckPermissions', 'ConfirmPermissions', 'ProtectStacks'];

/** Waves of a pipeline from its environments in the order they are deployed. */
export function resolveWaves(environments: readonly ResolvedEnvironment[], report: Report): readonly Wave[] {
  const blocks = neighbours(environments, report);
  const waves = blocks.flatMap((block) => (block.length > 1 ? [sharedWave(block, report)] : ownWaves(block[0]!)));
  const seen = new Map<string, Path>();
  for (const { wave, path } of waves) {
    if (OWN_STAGES.includes(wave.id)) report({ code: 'CFG049', path, what: `gives a wave the name ${wave.id}, which is a stage of every pipeline`, fix: `name the wave otherwise: wave: ${wave.id.toLowerCase()}-environment`, atKey: true });
    else if (seen.has(wave.id)) report({ code: 'CFG049', path, what: `gives a wave the name ${wave.id}, which another one has`, fix: 'name the wave otherwise with `wave:`', atKey: true });
    seen.set(wave.id, path);
    checkActionNames(wave, path, report);
  }
  return waves.map(({ wave }) => wave);
}

interface PlacedWave {
  readonly wave: Wave;
  readonly path: Path;
}

/** Environments that share a wave, together; each other one alone. */
function neighbours(environments: readonly ResolvedEnvironment[], report: Report): ResolvedEnvironment[][] {
  const blocks: ResolvedEnvironment[][] = [];
  const names = new Set<string>();
  for (const environment of environments) {
    const name = environment.config.wave;
    const last = blocks.at(-1);
    if (name !== undefined && last?.[0]!.config.wave === name) {
      last.push(environment);
      continue;
    }
    if (name !== undefined && names.has(name)) report({ code: 'CFG047', path: [...environment.path, 'wave'], what: `is ${name}, as of an environment that isn't its neighbour`, why: 'a wave is deployed at one time, and another environment stands between the two', fix: 'put the environments that share the wave beside each other' });
    if (name !== undefined) names.add(name);
    blocks.push([environment]);
  }
  return blocks;
}

function sharedWave(block: readonly ResolvedEnvironment[], report: Report): PlacedWave {
  for (const environment of block) {
    const gates = JSON.stringify(environment.config.gates?.permissions ?? 'none');
    const other = block.find(({ config }) => ![gates, '"none"'].includes(JSON.stringify(config.gates?.permissions ?? 'none')));
    if (gates !== '"none"' && other !== undefined) report({ code: 'CFG068', path: [...environment.path, 'gates', 'permissions'], what: `is another permission gate than that of ${other.name}, and both share the wave ${environment.config.wave}`, why: 'a wave has one check of permissions, with one topic, and waits for a person or doesn’t', fix: 'say the same for both, or take `wave:` away' });
    if (environment.groups.length > 1) report({ code: 'CFG062', path: [...environment.path, 'rollout'], what: 'makes several waves, and the environment shares its wave with others', fix: 'deploy it in parallel, or take `wave:` away' });
  }
  const wave: Wave = {
    id: pascalCase(block[0]!.config.wave!),
    approvals: block.flatMap((environment) => approvalsOf(environment)),
    before: block.flatMap((environment) => beforeOf(environment)),
    targets: block.flatMap((environment) => environment.groups.flatMap((group) => group.targets)),
  };
  return { wave, path: block[0]!.path };
}

function ownWaves(environment: ResolvedEnvironment): readonly PlacedWave[] {
  const { config, groups, path } = environment;
  const name = pascalCase(config.wave ?? environment.name);
  const whole = config.rollout === 'parallel' || config.regionsIn === 'stacks';
  return groups
    .filter((group) => group.targets.length > 0)
    .map((group, index) => {
      const gated = index === 0 || config.gates?.every === 'wave';
      return { path, wave: { id: whole ? name : waveName(name, group, index), approvals: gated ? approvalsOf(environment) : [], before: gated ? beforeOf(environment) : [], targets: group.targets } };
    });
}

function waveName(name: string, group: TargetGroup, index: number): string {
  return group.regions.length === 1 ? `${name}-${group.regions[0]}` : `${name}-${index + 1}`;
}

function approvalsOf({ name, config }: ResolvedEnvironment): readonly Approval[] {
  const approval = config.gates?.approval;
  if (approval === undefined || approval === false) return [];
  const settings = approval === true ? {} : typeof approval === 'string' ? { name: approval } : approval;
  return [{ environment: name, name: settings.name ?? `Approve${pascalCase(name)}`, comment: settings.comment, notify: settings.notify, timeout: settings.timeout }];
}

function beforeOf({ name, config }: ResolvedEnvironment): Wave['before'] {
  return stepsOf(config.before, name, config);
}

/** CodePipeline wants the names of a stage's actions to differ (CodePipeline reference: pipeline structure). */
function checkActionNames(wave: Wave, path: Path, report: Report): void {
  const seen = new Set<string>();
  for (const { name, environment } of [...wave.approvals, ...wave.before]) {
    if (seen.has(name)) report({ code: 'CFG063', path: wave.targets.some((target) => target.environment !== environment) ? ['environments', environment] : path, what: `has a second approval or step ${name} in wave ${wave.id}`, fix: 'names of approvals and steps differ within a wave', atKey: true });
    seen.add(name);
    if (OWN_STEPS.includes(name)) report({ code: 'CFG063', path: ['environments', environment], what: `has a step or approval ${name}, which is the name of one that Flotilla adds to waves`, fix: 'name it otherwise', atKey: true });
  }
}
