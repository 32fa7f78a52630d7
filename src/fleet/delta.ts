import type { BootstrapPair, Fleet, Pipeline, Target } from './model.js';

/** One difference between two states of a fleet. */
export interface Change {
  /** `danger`: what it does can't be undone by going back. */
  readonly kind: 'add' | 'remove' | 'change' | 'danger';
  readonly what: string;
  readonly why?: string;
}

/** What changes from one state of a fleet to another, dangers first. */
export function compareFleets(before: Fleet, after: Fleet): readonly Change[] {
  const changes = [...comparePipelines(before, after), ...compareTargets(before, after), ...compareBootstrap(before, after), ...settingChanges('quotas', before.quotas, after.quotas)];
  return [...changes.filter(({ kind }) => kind === 'danger'), ...changes.filter(({ kind }) => kind !== 'danger')];
}

function comparePipelines(before: Fleet, after: Fleet): readonly Change[] {
  const changes: Change[] = [];
  const old = new Map(before.pipelines.map((pipeline) => [pipeline.stackId, pipeline]));
  for (const pipeline of after.pipelines) {
    const was = old.get(pipeline.stackId);
    old.delete(pipeline.stackId);
    if (was === undefined) changes.push({ kind: 'add', what: `pipeline ${pipeline.name} (stack ${pipeline.stackId}) in ${pipeline.account}/${pipeline.region}`, why: 'it begins with a deployment by hand: cdk deploy of its stack' });
    else changes.push(...comparePipeline(was, pipeline));
  }
  for (const was of old.values()) changes.push({ kind: 'danger', what: `pipeline ${was.name} leaves the fleet; its stack ${was.stackId} remains in ${was.account}/${was.region}`, why: 'no pipeline removes itself: destroy the stack once its stages are deployed by another or gone' });
  return changes;
}

function comparePipeline(was: Pipeline, pipeline: Pipeline): readonly Change[] {
  const name = `pipeline ${pipeline.name}`;
  const changes: Change[] = [];
  if (was.account !== pipeline.account || was.region !== pipeline.region) changes.push({ kind: 'danger', what: `${name} moves from ${was.account}/${was.region} to ${pipeline.account}/${pipeline.region}`, why: 'a new pipeline is made there by hand; the old one remains and deploys the old state at its next push' });
  if (was.name !== pipeline.name) changes.push({ kind: 'danger', what: `${name} was named ${was.name}: CloudFormation replaces it`, why: 'the executions of the old one, and what waits in it, are gone; stages and stacks stay' });
  for (const key of ['source', 'inputs', 'synth', 'build', 'type', 'executionMode', 'selfMutation', 'restartOnUpdate', 'preflight', 'assets', 'artifacts', 'changeSets', 'terminationProtection', 'notify', 'tags', 'permissionsBoundary'] as const) {
    if (JSON.stringify(was[key]) === JSON.stringify(pipeline[key])) continue;
    changes.push({ kind: 'change', what: `${name}: ${key} ${short(was[key])} → ${short(pipeline[key])}`, ...(key === 'synth' || key === 'source' ? { why: 'the push that changes it is still synthesized by the pipeline as it stands' } : {}) });
  }
  const [wavesBefore, waves] = [was.waves.map(({ id }) => id), pipeline.waves.map(({ id }) => id)];
  if (wavesBefore.join() !== waves.join()) changes.push({ kind: 'change', what: `${name}: waves ${wavesBefore.join(' → ') || '(none)'}  become  ${waves.join(' → ') || '(none)'}` });
  return [...changes, ...compareGates(was, pipeline)];
}

/** Gates and steps of environments that are in both; those of others come and go with them. */
function compareGates(was: Pipeline, pipeline: Pipeline): readonly Change[] {
  const environments = ({ waves }: Pipeline): ReadonlySet<string> => new Set(waves.flatMap((wave) => wave.targets.map(({ environment }) => environment)));
  const [before, after] = [environments(was), environments(pipeline)];
  const difference = (of: (one: Pipeline) => readonly Named[], lost: Change['kind']): readonly Change[] => {
    const [old, now] = [numbered(of(was)), numbered(of(pipeline))];
    return [
      ...[...now].filter(([key, { environment }]) => !old.has(key) && before.has(environment)).map(([, { what }]): Change => ({ kind: 'add', what })),
      ...[...old].filter(([key, { environment }]) => !now.has(key) && after.has(environment)).map(([, { what }]): Change => ({ kind: lost, what: `${what} is taken away` })),
      ...[...now].flatMap(([key, { what, settings }]) => settingChanges(what, old.get(key)?.settings ?? settings, settings)),
    ];
  };
  return [...difference(gatesOf, 'danger'), ...difference(stepsOf, 'remove')];
}

interface Named {
  readonly environment: string;
  readonly key: string;
  readonly what: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

function settingChanges(what: string, before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>): readonly Change[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]));
  return keys.map((key) => ({ kind: 'change', what: `${what}: ${key} ${short(before[key])} → ${short(after[key])}` }));
}

function gatesOf({ waves }: Pipeline): readonly Named[] {
  return waves.flatMap((wave) => [
    ...wave.approvals.map(({ environment, name, ...settings }) => ({ environment, key: `${environment}/${name}`, what: `approval ${name} before ${wave.id}`, settings })),
    ...wave.targets.flatMap(({ environment, stageId, permissions }) => (permissions === undefined ? [] : [{ environment, key: `${stageId} ${permissions.approve}`, what: `permission gate of ${stageId}${permissions.approve ? '' : ' (notifies only)'}`, settings: { notify: permissions.notify } }])),
  ]);
}

function stepsOf({ waves }: Pipeline): readonly Named[] {
  return waves.flatMap((wave) => [
    ...wave.before.map(({ environment, name, build, ...settings }) => ({ environment, key: `${environment}/${name}`, what: `step ${name} before ${wave.id}`, settings: { ...settings, ...build } })),
    ...wave.targets.flatMap(({ environment, stageId, verify }) => verify.map(({ name, environment: _, build, ...settings }) => ({ environment, key: `${stageId}/${name}`, what: `test ${name} of ${stageId}`, settings: { ...settings, ...build } }))),
  ]);
}

/** By key; a gate that stands before several waves is there several times. */
function numbered(named: readonly Named[]): ReadonlyMap<string, Named> {
  const all = new Map<string, Named>();
  for (const one of named) {
    let number = 1;
    while (all.has(`${one.key} ${number}`)) number++;
    all.set(`${one.key} ${number}`, one);
  }
  return all;
}

interface Placed {
  readonly target: Target;
  readonly region: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

function placed(fleet: Fleet): Map<string, Placed> {
  return new Map(fleet.pipelines.flatMap((pipeline) => pipeline.waves.flatMap((wave) => wave.targets.flatMap((target) => target.regions.map(({ region, parameters }) => [`${target.stageId} ${target.account}/${region}`, { target, region, parameters }] as const)))));
}

function compareTargets(before: Fleet, after: Fleet): readonly Change[] {
  const [old, now] = [placed(before), placed(after)];
  const environments = new Set([...now.values()].map(({ target }) => target.environment));
  const gone = new Map([...old].filter(([key]) => !now.has(key)));
  const changes: Change[] = [];
  for (const [key, one] of now) {
    const was = old.get(key);
    if (was !== undefined) {
      changes.push(...compareTarget(was, one));
      continue;
    }
    const sameId = [...gone].find(([, other]) => other.target.stageId === one.target.stageId);
    const there = [...gone].filter(([, other]) => other.target.account === one.target.account && other.region === one.region);
    // An environment of another name in the same place is the old one renamed, where the old one is gone.
    const samePlace = there.find(([, other]) => other.target.environment === one.target.environment) ?? there.find(([, other]) => !environments.has(other.target.environment));
    if (samePlace !== undefined) {
      gone.delete(samePlace[0]);
      changes.push({ kind: 'danger', what: `stage ${samePlace[1].target.stageId} of ${one.target.account}/${one.region} becomes ${one.target.stageId}: EVERY STACK IN IT IS REPLACED`, why: 'stack names begin with the stage’s: new stacks are deployed beside the old ones, which remain with their data; names of one’s own collide. To keep the stacks, set `stage:` to the old name' });
    } else if (sameId !== undefined) {
      gone.delete(sameId[0]);
      changes.push({ kind: 'danger', what: `stage ${one.target.stageId} moves from ${sameId[1].target.account}/${sameId[1].region} to ${one.target.account}/${one.region}`, why: 'its stacks are made anew there; the old ones remain with their data' });
    } else changes.push({ kind: 'add', what: `stage ${one.target.stageId} in ${one.target.account}/${one.region}` });
  }
  for (const [, { target, region }] of gone) changes.push({ kind: 'danger', what: `stage ${target.stageId} in ${target.account}/${region} leaves the fleet; its stacks remain`, why: 'a pipeline never deletes stacks: flotilla prune lists and removes them' });
  return changes;
}

function compareTarget(was: Placed, one: Placed): readonly Change[] {
  const name = `stage ${one.target.stageId}${one.target.regionsIn === 'stacks' ? ` (${one.region})` : ''}`;
  const changes: Change[] = [];
  const keys = [...new Set([...Object.keys(was.parameters), ...Object.keys(one.parameters)])].filter((key) => JSON.stringify(was.parameters[key]) !== JSON.stringify(one.parameters[key]));
  for (const key of keys) changes.push({ kind: 'change', what: `${name}: parameter ${key} ${short(was.parameters[key])} → ${short(one.parameters[key])}` });
  if (was.target.bootstrap.qualifier !== one.target.bootstrap.qualifier) changes.push({ kind: 'danger', what: `${name} deploys through the bootstrap ${one.target.bootstrap.qualifier}, was ${was.target.bootstrap.qualifier}`, why: 'bootstrap the pairs with it before the push; stacks keep the execution role they were made with until they are updated' });
  if (was.target.terminationProtection && !one.target.terminationProtection) changes.push({ kind: 'danger', what: `${name} loses its termination protection` });
  if (!was.target.terminationProtection && one.target.terminationProtection) changes.push({ kind: 'add', what: `termination protection of ${name}` });
  for (const key of ['permissionsBoundary', 'tags', 'templates', 'dependsOn', 'regionOrder'] as const) if (JSON.stringify(was.target[key]) !== JSON.stringify(one.target[key])) changes.push({ kind: 'change', what: `${name}: ${key} ${short(was.target[key])} → ${short(one.target[key])}` });
  return changes;
}

function compareBootstrap(before: Fleet, after: Fleet): readonly Change[] {
  const keyOf = ({ account, region, qualifier }: BootstrapPair): string => `${account}/${region}${qualifier === 'hnb659fds' ? '' : ` (${qualifier})`}`;
  const old = new Map(before.bootstrap.map((pair) => [keyOf(pair), pair]));
  const now = new Map(after.bootstrap.map((pair) => [keyOf(pair), pair]));
  return [
    ...[...now].flatMap(([key, pair]): Change[] => {
      const was = old.get(key);
      if (was === undefined) return [{ kind: 'add', what: `bootstrap of ${key}`, why: 'before the push: flotilla bootstrap' }];
      const { usedBy: _, ...settings } = pair;
      const { usedBy: _was, ...settingsBefore } = was;
      return JSON.stringify(settings) === JSON.stringify(settingsBefore) ? [] : [{ kind: 'change', what: `bootstrap of ${key}: ${differences(settingsBefore, settings)}`, why: 'flotilla bootstrap applies it' }];
    }),
    ...[...old].filter(([key]) => !now.has(key)).map(([key]): Change => ({ kind: 'remove', what: `bootstrap of ${key} is no longer needed here`, why: 'other apps may use it' })),
  ];
}

function differences(before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>): string {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]));
  return keys.map((key) => `${key} ${short(before[key])} → ${short(after[key])}`).join(', ');
}

function short(value: unknown): string {
  const text = value === undefined ? '(none)' : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
