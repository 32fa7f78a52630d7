import { describe, expect, it } from 'vitest';
import type * as CodePipeline from '../../../src/local/models/types/codepipeline.js';
import { validateDeclaration } from '../../../src/local/pipeline/validate.js';
import { artifactKey, storeOf } from '../../../src/local/pipeline/artifacts.js';
import { build, declarationOf, gate, REGION, sourceStage, stage } from '../../torture/world.js';

/** What CodePipeline refuses, and with which code (user guide, "CodePipeline pipeline structure reference"). */

type Stages = CodePipeline.StageDeclaration[];
const good: Stages = [sourceStage(), stage('Build', build('Compile', 1, { inputArtifacts: [{ name: 'Code' }], outputArtifacts: [{ name: 'Out' }] }))];
const withBuild = (more: Partial<CodePipeline.ActionDeclaration>): Stages => [sourceStage(), stage('Build', build('Compile', 1, more))];
const many = (count: number): Stages => [sourceStage(), ...Array.from({ length: count }, (_, i) => stage(`S${i}`, build('A')))];
const type = (category: string, provider: string, owner = 'AWS', version = '1') => ({ category, owner, provider, version }) as CodePipeline.ActionTypeId;
const refusal = (stages: Stages, more: Partial<CodePipeline.PipelineDeclaration> = {}): string | undefined => {
  try {
    validateDeclaration(declarationOf(stages, more), REGION);
    return undefined;
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return `${code}: ${message}`;
  }
};

const STAGE = 'InvalidStageDeclarationException';
const ACTION = 'InvalidActionDeclarationException';
const STRUCTURE = 'InvalidStructureException';

describe('a definition', () => {
  it.each<[what: string, stages: Stages, more?: Partial<CodePipeline.PipelineDeclaration>]>([
    ['of a source and a build', good],
    ['of fifty stages', many(49)],
    ['with a gate', [sourceStage(), stage('Gate', gate('Ok', 1, { timeoutInMinutes: 5 }))]],
    ['with an artifact made and read in one stage', [sourceStage(), stage('B', build('Make', 1, { outputArtifacts: [{ name: 'X' }] }), build('Read', 2, { inputArtifacts: [{ name: 'X' }] }))]],
    ['with stores for two regions', [sourceStage(), stage('B', build('X', 1, { region: 'us-east-1' }))], { artifactStore: undefined, artifactStores: { [REGION]: { type: 'S3', location: 'a' }, 'us-east-1': { type: 'S3', location: 'b' } } }],
    ['with variables', good, { variables: [{ name: 'a' }] }],
  ])('%s is taken', (_what, stages, more) => {
    expect(refusal(stages, more)).toBeUndefined();
  });

  it.each<[what: string, code: string, words: RegExp, stages: Stages, more?: Partial<CodePipeline.PipelineDeclaration>]>([
    ['of one stage', STRUCTURE, /at least two stages/, [sourceStage()]],
    ['of 51 stages', STAGE, /up to 50 stages/, many(50)],
    ['with a stage twice', STAGE, /'Build' must be unique/, [...good, stage('Build', build('X'))]],
    ['with an empty stage', STAGE, /at least one action/, [sourceStage(), stage('Empty')]],
    ['with 101 actions in a stage', STAGE, /up to 100 actions/, [sourceStage(), stage('B', ...Array.from({ length: 101 }, (_, i) => build(`a${i}`)))]],
    ['that starts with a build', STAGE, /should start with a stage that only contains source actions/, [stage('B', build('X')), stage('C', build('X'))]],
    ['with a source in a later stage', STAGE, /Only first stage may contain source/, [sourceStage(), sourceStage('Later')]],
    ['with an action name twice', ACTION, /'X' must be unique within stage 'B'/, [sourceStage(), stage('B', build('X'), build('X'))]],
    ['with an unknown provider', ACTION, /ActionType .*'Nothing'.* is not available/, withBuild({ actionTypeId: type('Build', 'Nothing') })],
    ['with a provider that is not run here', STRUCTURE, /does not run the action provider Deploy\/AWS\/ECS/, withBuild({ actionTypeId: type('Deploy', 'ECS') })],
    ['with a custom provider', STRUCTURE, /does not run the action provider Build\/Custom\/Mine/, withBuild({ actionTypeId: type('Build', 'Mine', 'Custom') })],
    ['with an unknown version of a provider', ACTION, /version '2'/, withBuild({ actionTypeId: type('Build', 'CodeBuild', 'AWS', '2') })],
    ['with run order 0', ACTION, /run order 0/, withBuild({ runOrder: 0 })],
    ['with run order 1000', ACTION, /run order 1000/, withBuild({ runOrder: 1000 })],
    ['without required configuration', ACTION, /missing required configuration 'ProjectName'/, withBuild({ configuration: {} })],
    ['with unknown configuration', ACTION, /unknown configuration 'Other'/, withBuild({ configuration: { ProjectName: 'p', Other: 'x' } })],
    ['with an artifact nobody makes', ACTION, /Input Artifact Bundle None .* not declared as Output Artifact/, withBuild({ inputArtifacts: [{ name: 'None' }] })],
    ['with an artifact made in the same run order', ACTION, /Input Artifact Bundle X/, [sourceStage(), stage('B', build('Make', 1, { outputArtifacts: [{ name: 'X' }] }), build('Read', 1, { inputArtifacts: [{ name: 'X' }] }))]],
    ['with an artifact made twice', ACTION, /name Code has been used more than once/, withBuild({ outputArtifacts: [{ name: 'Code' }] })],
    ['with an input to a gate', ACTION, /1 input artifacts, it can have at most 0/, [sourceStage(), stage('G', gate('Ok', 1, { inputArtifacts: [{ name: 'Code' }] }))]],
    ['with a source without output', ACTION, /0 output artifacts, it must have at least 1/, [{ name: 'S', actions: [{ ...sourceStage().actions[0]!, outputArtifacts: [] }] }, good[1]!]],
    ['with two inputs and no primary one', ACTION, /must name its PrimarySource/, [{ name: 'S', actions: [sourceStage().actions[0]!, { ...sourceStage().actions[0]!, name: 'Two', outputArtifacts: [{ name: 'More' }] }] }, stage('B', build('X', 1, { inputArtifacts: [{ name: 'Code' }, { name: 'More' }] }))]],
    ['with a gate of four minutes', ACTION, /between 5 and 86400 minutes/, [sourceStage(), stage('G', gate('Ok', 1, { timeoutInMinutes: 4 }))]],
    ['with a role that is no ARN', ACTION, /invalid role ARN 'me'/, withBuild({ roleArn: 'me' })],
    ['with an unknown region', STRUCTURE, /unknown region 'mars-1'/, withBuild({ region: 'mars-1' })],
    ['with actions of two regions and one store', STRUCTURE, /must define artifactStores/, withBuild({ region: 'us-east-1' })],
    ['without any store', STRUCTURE, /either artifactStore or artifactStores/, good, { artifactStore: undefined }],
    ['without the store of a region', STRUCTURE, /Artifact store for region 'us-east-1' is missing/, withBuild({ region: 'us-east-1' }), { artifactStore: undefined, artifactStores: { [REGION]: { type: 'S3', location: 'a' } } }],
    ['with a reserved namespace', ACTION, /'codepipeline' of action 'Compile' is reserved/, withBuild({ namespace: 'codepipeline' })],
    ['with a namespace twice', ACTION, /'n' of action 'Y' must be unique/, [sourceStage(), stage('B', build('X', 1, { namespace: 'n' }), build('Y', 1, { namespace: 'n' }))]],
    ['of type V1 with triggers', STRUCTURE, /V1 does not support triggers/, good, { pipelineType: 'V1', triggers: [{ providerType: 'CodeStarSourceConnection', gitConfiguration: { sourceActionName: 'Get' } }] }],
    ['of type V1 that queues', STRUCTURE, /V1 does not support execution mode QUEUED/, good, { pipelineType: 'V1', executionMode: 'QUEUED' }],
    ['of type V1 with variables', STRUCTURE, /V1 does not support variables/, good, { pipelineType: 'V1', variables: [{ name: 'a' }] }],
    ['with a variable twice', STRUCTURE, /'a' is declared more than once/, good, { variables: [{ name: 'a' }, { name: 'a' }] }],
    ['with a trigger on what is no connection', STRUCTURE, /must reference a CodeStarSourceConnection/, good, { triggers: [{ providerType: 'CodeStarSourceConnection', gitConfiguration: { sourceActionName: 'Get' } }] }],
    ['with stage conditions', STRUCTURE, /does not run stage conditions \(beforeEntry of stage 'Build'\)/, [sourceStage(), { ...good[1]!, beforeEntry: { conditions: [] } }]],
    ['with automatic rollback', STRUCTURE, /does not run automatic rollback/, [sourceStage(), { ...good[1]!, onFailure: { result: 'ROLLBACK' } }]],
    ['with Commands in V1', ACTION, /supported only in pipelines of type V2/, withBuild({ actionTypeId: type('Compute', 'Commands'), configuration: {} }), { pipelineType: 'V1' }],
  ])('%s is refused with %s', (_what, code, words, stages, more) => {
    const refused = refusal(stages, more);
    expect(refused).toMatch(words);
    expect(refused?.split(':')[0]).toBe(code);
  });
});

describe('an artifact', () => {
  it('has a key as CodePipeline makes it: pipeline and name cut, seven random characters, the same for the same attempt', () => {
    const key = artifactKey('a-pipeline-with-a-very-long-name', 'Artifact_Source_CodeCommit', 'attempt-1');
    expect(key).toMatch(/^a-pipeline-with-a-ve\/Artifact_S\/[A-Za-z0-9]{7}$/);
    expect(artifactKey('a-pipeline-with-a-very-long-name', 'Artifact_Source_CodeCommit', 'attempt-1')).toBe(key);
    expect(artifactKey('a-pipeline-with-a-very-long-name', 'Artifact_Source_CodeCommit', 'attempt-2')).not.toBe(key);
  });

  it('belongs into the store of its region', () => {
    const stores = { artifactStore: undefined, artifactStores: { [REGION]: { type: 'S3' as const, location: 'here' }, 'us-east-1': { type: 'S3' as const, location: 'there' } } };
    expect(storeOf(declarationOf(good, stores), 'us-east-1').location).toBe('there');
    expect(storeOf(declarationOf(good), REGION).location).toBe('store');
    expect(() => storeOf(declarationOf(good, stores), 'eu-north-1')).toThrow(/region 'eu-north-1' is missing/);
  });
});
