import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, CfnOutput, CfnResource, Stack, type Stage } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { CloudAssembly } from 'aws-cdk-lib/cx-api';
import type { z } from 'zod';
import { afterAll, describe, expect, it } from 'vitest';
import { Fleet, type FleetInput, type StageTarget } from '../../../src/cdk/index.js';
import { definition, variants } from '../../../src/config/forms.js';
import { fleetFile } from '../../../src/config/schema/fleet.js';
import { DEFAULT_ASSUMPTIONS } from '../../../src/fleet/cost.js';
import { compareFleets } from '../../../src/fleet/delta.js';
import { parseFleet, QUOTAS, type Fleet as FleetModel } from '../../../src/fleet/index.js';
import { planOf, printPlan } from '../../../src/fleet/plan.js';
import { fleetFromFile } from '../../../src/ops/fleet/from-file.js';
import { FlotillaError } from '../../../src/shared/errors.js';
import { asNamed, KEYS, NOTHING, type KeyRow } from './keys.js';

/** Every key of the fleet file has an effect: a key without a row here fails, so that none can be ignored. */

const folder = mkdtempSync(join(tmpdir(), 'keys-'));
writeFileSync(join(folder, 'topic.json'), JSON.stringify({ Parameters: { Name: { Type: 'String', Default: 'topic' } }, Resources: { Topic: { Type: 'AWS::SNS::Topic', Properties: { DisplayName: { Ref: 'Name' } } } } }));
afterAll(() => rmSync(folder, { recursive: true }));
let nth = 0;

/** Paths of the values that a schema takes; `*` stands for any name, `[]` for an entry of a list. */
function leaves(schema: z.ZodType, path: string): string[] {
  return [...new Set(variants(schema).flatMap((form) => {
    const { type, shape, valueType, element } = definition(form);
    if (type === 'object' && shape) return Object.entries(shape).flatMap(([key, below]) => leaves(below, path === '' ? key : `${path}.${key}`));
    const [inner, name] = type === 'record' ? [valueType, `${path}.*`] : type === 'array' ? [element, `${path}[]`] : [undefined, path];
    const objects = inner !== undefined && variants(inner).some((one) => definition(one).type === 'object');
    return objects ? leaves(inner!, name) : [path];
  }))];
}

function app(stage: Stage, target: StageTarget): void {
  for (const { env, region, params } of target.regions) {
    const stack = new Stack(stage, target.regions.length > 1 ? `App-${region}` : 'App', { env });
    const topic = new CfnResource(stack, 'Topic', { type: 'AWS::SNS::Topic', properties: { DisplayName: params['name'] } });
    new CfnOutput(stack, 'Url', { value: topic.ref });
    new Role(stack, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    new Asset(stack, 'Asset', { path: join(folder, 'topic.json') });
  }
}

/** All that a fleet leads to, as lines: stacks, plan, and what the operator works with; or the error that it is. */
function linesOf(input: FleetInput): readonly string[] {
  try {
    const scope = new App({ outdir: join(folder, `out-${nth++}`) });
    const fleet = Fleet.load(scope, input, { folder }).deploy(app);
    const owner = fleet.pipelineStacks[0]!;
    new ManagedPolicy(owner, 'Extra', { statements: [new PolicyStatement({ actions: ['s3:GetObject'], resources: ['*'] })] });
    return [...stackLines(scope.synth({ force: true })), ...planLines(fleet.model), ...flat('operator', fleetFromFile(fleet.model))];
  } catch (error) {
    if (error instanceof FlotillaError) return [`error ${error.code}`];
    throw error;
  }
}

function stackLines(assembly: CloudAssembly): string[] {
  const nested = assembly.nestedAssemblies.flatMap(({ nestedAssembly }) => stackLines(nestedAssembly));
  return [
    ...nested,
    ...assembly.stacks.flatMap((stack) => {
      const id = stack.hierarchicalId;
      return [
        `${id} name = ${stack.stackName} in ${stack.environment.account}/${stack.environment.region}`,
        `${id} terminationProtection = ${stack.terminationProtection ?? false}`,
        ...Object.entries(stack.tags).map(([key, value]) => `${id} tags.${key} = ${value}`),
        ...stack.dependencies.map((other) => `${id} after = ${other.id}`),
        ...stack.messages.map(({ entry }) => `${id} says ${String(entry.data)}`),
        `${id} roles = ${stack.assumeRoleArn}`,
        ...flat(id, stack.template, ' '),
      ];
    }),
  ];
}

/** A line of the plan that stands there several times is numbered. */
function planLines(model: FleetModel): string[] {
  const seen = new Map<string, number>();
  return printPlan(planOf(model, DEFAULT_ASSUMPTIONS)).split('\n').map((line) => {
    const count = (seen.get(line) ?? 0) + 1;
    seen.set(line, count);
    return `plan ${line}${count === 1 ? '' : ` #${count}`}`;
  });
}

function flat(path: string, value: unknown, separator = '.'): string[] {
  if (typeof value !== 'object' || value === null) return [`${path} = ${String(value)}`];
  const join = (value as { 'Fn::Join'?: [string, unknown[]] })['Fn::Join'];
  if (join) return [`${path} = ${join[1].map((part) => (typeof part === 'string' ? part : JSON.stringify(part))).join(join[0])}`];
  return Object.entries(value).flatMap(([key, below]) => flat(`${path}${separator}${key}`, below));
}

const known = new Map<string, ReadonlySet<string>>();
function look(input: FleetInput): ReadonlySet<string> {
  const key = JSON.stringify(input);
  const lines = known.get(key) ?? new Set(linesOf(input));
  known.set(key, lines);
  return lines;
}

const difference = (row: Pick<KeyRow, 'with' | 'without'>): string[] => {
  const [given, without] = [look(row.with), look(row.without)];
  return [...given, ...without].filter((line) => !given.has(line) || !without.has(line));
};

/** The model, or undefined where the fleet is refused. */
const modelOf = (input: FleetInput): FleetModel | undefined => {
  try {
    return parseFleet(input);
  } catch {
    return undefined;
  }
};

describe('every key of the fleet file', () => {
  it('has a row here', () => {
    const rows = new Set([...KEYS.map(({ key }) => key), ...Object.keys(NOTHING)]);
    // What one of several pipelines says has the keys of `pipeline`, and its rows.
    for (const key of [...rows]) if (key.startsWith('pipeline.')) rows.add(key.replace('pipeline.', 'pipelines.*.'));
    expect(leaves(fleetFile, '').toSorted()).toEqual([...rows].toSorted());
  });

  it.each(KEYS.map((row) => [row.key, row] as const))('%s shows', (_key, row) => {
    const lines = difference(row);
    expect(lines.filter((line) => row.shows.test(line)), lines.slice(0, 20).join('\n')).not.toEqual([]);
  });

  it.each(KEYS.map((row) => [row.key, row] as const))('%s is told by plan as a change', (_key, { with: given, without }) => {
    const [before, after] = [modelOf(without), modelOf(given)];
    if (before === undefined || after === undefined) return expect(before).not.toEqual(after);
    expect(JSON.stringify(after)).not.toBe(JSON.stringify(before));
    expect(compareFleets(before, after)).not.toEqual([]);
  });

  it.each(KEYS.filter(({ key }) => key.startsWith('pipeline.') && key !== 'pipeline.name').map((row) => [row.key, row] as const))('%s means the same for one of several pipelines', (_key, row) => {
    const { above, named } = asNamed(row.with);
    expect(modelOf(named)).toEqual(modelOf(above));
  });
});

describe('quotas', () => {
  it.each(Object.keys(QUOTAS))('%s is counted', (name) => {
    const given: FleetInput = { ...KEYS[0]!.without, quotas: { [name]: 1 } };
    const what = QUOTAS[name as keyof typeof QUOTAS].what;
    expect(difference({ with: given, without: KEYS[0]!.without }).filter((line) => line.includes(what) || line.includes(`plan   ${name}`))).not.toEqual([]);
  });
});
