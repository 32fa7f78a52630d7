import { parseArn } from '../kernel/arn.js';
import { AwsError } from '../kernel/error.js';
import { isRegion } from '../kernel/regions.js';
import type * as CodePipeline from '../models/types/codepipeline.js';
import { LIMITS } from './limits.js';
import { findProvider, isKnownElsewhere } from './providers.js';

type Action = CodePipeline.ActionDeclaration;
type Stage = CodePipeline.StageDeclaration;
type Declaration = CodePipeline.PipelineDeclaration;

/**
 * Refuses a definition the service would refuse, in its order: stages, actions, artifacts, stores (user guide, "CodePipeline pipeline
 * structure reference"). Raises InvalidStageDeclarationException, InvalidActionDeclarationException, InvalidStructureException.
 */
export function validateDeclaration(pipeline: Declaration, region: string): void {
  if (pipeline.stages.length < 2) throw structure('Pipeline must have at least two stages');
  if (pipeline.stages.length > LIMITS.stages) throw stage(`Pipeline has ${pipeline.stages.length} stages. There can only be up to ${LIMITS.stages} stages in a pipeline`);
  unique(pipeline.stages.map(({ name }) => name), (name) => stage(`Stage name '${name}' must be unique within a pipeline`));
  const count = pipeline.stages.reduce((sum, { actions }) => sum + actions.length, 0);
  if (count > LIMITS.actionsPerPipeline) throw structure(`Pipeline has ${count} actions. There can only be up to ${LIMITS.actionsPerPipeline} actions in a pipeline`);
  for (const [index, entry] of pipeline.stages.entries()) validateStage(entry, index, pipeline);
  validateArtifacts(pipeline);
  validateNamespaces(pipeline);
  validateStores(pipeline, region);
  validateTriggers(pipeline);
}

function validateStage(entry: Stage, index: number, pipeline: Declaration): void {
  if (entry.actions.length === 0) throw stage(`Pipeline stage '${entry.name}' must contain at least one action`);
  if (entry.actions.length > LIMITS.actionsPerStage)
    throw stage(`Pipeline stage '${entry.name}' has too many actions. There can only be up to ${LIMITS.actionsPerStage} actions in a pipeline stage`);
  for (const condition of ['onSuccess', 'beforeEntry'] as const)
    if (entry[condition] !== undefined) throw notHere(`stage conditions (${condition} of stage '${entry.name}')`);
  if (entry.onFailure?.result === 'ROLLBACK' || entry.onFailure?.conditions !== undefined) throw notHere(`automatic rollback and failure conditions (onFailure of stage '${entry.name}')`);
  unique(entry.actions.map(({ name }) => name), (name) => action(`Action name '${name}' must be unique within stage '${entry.name}'`));
  for (const declared of entry.actions) {
    const isSource = declared.actionTypeId.category === 'Source';
    if (index === 0 && !isSource) throw stage(`Pipeline should start with a stage that only contains source actions`);
    if (index > 0 && isSource) throw stage(`Only first stage may contain source actions: action '${declared.name}' of stage '${entry.name}'`);
    validateAction(declared, entry, pipeline);
  }
}

function validateAction(declared: Action, entry: Stage, pipeline: Declaration): void {
  const type = declared.actionTypeId;
  const provider = findProvider(type);
  if (!provider) {
    if (isKnownElsewhere(type) || type.owner === 'Custom') throw notHere(`the action provider ${type.category}/${type.owner}/${type.provider} (action '${declared.name}' of stage '${entry.name}')`);
    throw action(`ActionType (Category: '${type.category}', Provider: '${type.provider}', Owner: '${type.owner}', Version: '${type.version}') in action '${declared.name}' is not available`);
  }
  if (type.version !== '1') throw action(`ActionType version '${type.version}' of '${type.provider}' in action '${declared.name}' does not exist`);
  if (type.provider === 'Commands' && pipeline.pipelineType !== 'V2') throw action(`Commands action '${declared.name}' is supported only in pipelines of type V2`);
  const order = declared.runOrder ?? 1;
  if (order < 1 || order > LIMITS.runOrder) throw action(`Action '${declared.name}' has an invalid run order ${order}: it must be between 1 and ${LIMITS.runOrder}`);
  const configuration = declared.configuration ?? {};
  for (const key of provider.required) if (!configuration[key]) throw action(`Action configuration for action '${declared.name}' is missing required configuration '${key}'`);
  const known = new Set([...provider.required, ...provider.optional]);
  for (const key of Object.keys(configuration)) if (!known.has(key)) throw action(`Action configuration for action '${declared.name}' contains unknown configuration '${key}'`);
  for (const [key, value] of Object.entries(configuration))
    if (key !== 'EnvironmentVariables' && key !== 'ParameterOverrides' && value.length > LIMITS.configurationValue * 20) throw action(`Action configuration value of '${key}' in action '${declared.name}' is too long`);
  if ((configuration['ParameterOverrides']?.length ?? 0) > LIMITS.parameterOverrides)
    throw action(`Action configuration for action '${declared.name}': ParameterOverrides must not exceed ${LIMITS.parameterOverrides} characters`);
  checkCount('input', declared.inputArtifacts?.length ?? 0, provider.inputs, declared);
  checkCount('output', declared.outputArtifacts?.length ?? 0, provider.outputs, declared);
  if ((declared.inputArtifacts?.length ?? 0) > 1 && type.provider === 'CodeBuild' && !configuration['PrimarySource'])
    throw action(`Action '${declared.name}' has more than one input artifact and must name its PrimarySource`);
  if (type.category === 'Approval' && declared.timeoutInMinutes !== undefined) {
    const { least, most } = LIMITS.approvalMinutes;
    if (declared.timeoutInMinutes < least || declared.timeoutInMinutes > most) throw action(`Action '${declared.name}' must have a timeout between ${least} and ${most} minutes`);
  }
  if (declared.roleArn !== undefined && !parseArn(declared.roleArn)) throw action(`Action '${declared.name}' has an invalid role ARN '${declared.roleArn}'`);
  if (declared.region !== undefined && !isRegion(declared.region)) throw structure(`Action '${declared.name}' is declared in an unknown region '${declared.region}'`);
}

function checkCount(kind: 'input' | 'output', count: number, [least, most]: readonly [number, number], declared: Action): void {
  if (count < least) throw action(`Action '${declared.name}' has ${count} ${kind} artifacts, it must have at least ${least}`);
  if (count > most) throw action(`Action '${declared.name}' has ${count} ${kind} artifacts, it can have at most ${most}`);
}

/** An artifact is written once, and read only by what runs later. */
function validateArtifacts(pipeline: Declaration): void {
  const written = new Map<string, { stage: number; order: number }>();
  for (const [index, { actions }] of pipeline.stages.entries())
    for (const declared of actions)
      for (const { name } of declared.outputArtifacts ?? []) {
        if (written.has(name)) throw action(`Output Artifact Bundle name must be unique within the pipeline. The name ${name} has been used more than once`);
        written.set(name, { stage: index, order: declared.runOrder ?? 1 });
      }
  for (const [index, { actions, name: stageName }] of pipeline.stages.entries())
    for (const declared of actions)
      for (const { name } of declared.inputArtifacts ?? []) {
        const source = written.get(name);
        const before = source !== undefined && (source.stage < index || (source.stage === index && source.order < (declared.runOrder ?? 1)));
        if (!before) throw action(`Input Artifact Bundle ${name} in action ${declared.name} is not declared as Output Artifact Bundle in any of the preceding actions (stage ${stageName})`);
      }
}

function validateNamespaces(pipeline: Declaration): void {
  const seen = new Set<string>();
  for (const { actions } of pipeline.stages)
    for (const { namespace, name } of actions) {
      if (namespace === undefined) continue;
      if (namespace === 'codepipeline' || namespace === 'variables') throw action(`Namespace '${namespace}' of action '${name}' is reserved`);
      if (seen.has(namespace)) throw action(`Namespace '${namespace}' of action '${name}' must be unique within the pipeline`);
      seen.add(namespace);
    }
}

/** A store for each region that has actions; exactly one of the two forms. */
function validateStores(pipeline: Declaration, home: string): void {
  if ((pipeline.artifactStore === undefined) === (pipeline.artifactStores === undefined)) throw structure('Pipeline must contain either artifactStore or artifactStores in the definition, not both');
  const regions = new Set(pipeline.stages.flatMap(({ actions }) => actions.map(({ region }) => region ?? home)));
  regions.add(home);
  if (pipeline.artifactStore !== undefined) {
    if (regions.size > 1) throw structure(`Pipeline has actions in several regions (${[...regions].join(', ')}) and must define artifactStores`);
    return;
  }
  const stores = new Set(Object.keys(pipeline.artifactStores!));
  for (const region of regions) if (!stores.has(region)) throw structure(`Artifact store for region '${region}' is missing in the pipeline definition`);
  for (const region of stores) if (!regions.has(region)) throw structure(`Artifact store of region '${region}' is not used by any action`);
}

function validateTriggers(pipeline: Declaration): void {
  const triggers = pipeline.triggers ?? [];
  if (triggers.length === 0 && (pipeline.variables ?? []).length === 0 && (pipeline.executionMode ?? 'SUPERSEDED') === 'SUPERSEDED') return;
  if (pipeline.pipelineType !== 'V2') throw structure(`Pipeline type V1 does not support ${triggers.length > 0 ? 'triggers' : (pipeline.variables ?? []).length > 0 ? 'variables' : `execution mode ${pipeline.executionMode}`}; use V2`);
  const sources = new Map(pipeline.stages[0]!.actions.map((declared) => [declared.name, declared]));
  for (const { gitConfiguration: git } of triggers) {
    if (sources.get(git.sourceActionName)?.actionTypeId.provider !== 'CodeStarSourceConnection') throw structure('Triggers for connection must reference a CodeStarSourceConnection action.');
    for (const filters of [git.push ?? [], git.pullRequest ?? []]) {
      if (filters.length > LIMITS.pushFilters) throw structure(`A trigger can have at most ${LIMITS.pushFilters} filters of a kind`);
      for (const filter of filters) {
        for (const patterns of [filter.branches, filter.filePaths, 'tags' in filter ? filter.tags : undefined])
          for (const list of [patterns?.includes, patterns?.excludes]) if ((list?.length ?? 0) > LIMITS.patterns) throw structure(`A filter can have at most ${LIMITS.patterns} patterns`);
        if (filter.filePaths && !filter.branches) throw structure('filePaths can only be used together with branches');
      }
    }
  }
  unique((pipeline.variables ?? []).map(({ name }) => name), (name) => structure(`Variable '${name}' is declared more than once`));
}

function unique(names: readonly string[], error: (name: string) => AwsError): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw error(name);
    seen.add(name);
  }
}

const stage = (message: string): AwsError => new AwsError('InvalidStageDeclarationException', message, { status: 400 });
const action = (message: string): AwsError => new AwsError('InvalidActionDeclarationException', message, { status: 400 });
const structure = (message: string): AwsError => new AwsError('InvalidStructureException', message, { status: 400 });
const notHere = (what: string): AwsError => new AwsError('InvalidStructureException', `The local cloud does not run ${what}. Nothing was changed.`, { status: 400 });
