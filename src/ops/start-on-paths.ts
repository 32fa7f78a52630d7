import { CodeCommitClient, GetDifferencesCommand } from '@aws-sdk/client-codecommit';
import { CodePipelineClient, StartPipelineExecutionCommand } from '@aws-sdk/client-codepipeline';
import { globMatches } from '../shared/glob.js';

export interface PathTrigger {
  readonly pipeline: string;
  readonly repository: string;
  readonly paths: readonly string[];
  /** Commit before the push; undefined for a new branch, which always starts the pipeline. */
  readonly before: string | undefined;
  readonly after: string;
  /** ID of the event, undefined for a start by hand: one push starts one execution, however often its event is delivered; a push back to an earlier commit is another one. */
  readonly event: string | undefined;
  readonly region: string;
}

/** Starts a pipeline when a push to CodeCommit changed a path that matches. Returns the execution's ID, or undefined. */
export async function startOnPaths({ pipeline, repository, paths, before, after, event, region }: PathTrigger): Promise<string | undefined> {
  const changed = before ? await changedPaths(new CodeCommitClient({ region }), repository, before, after) : undefined;
  if (changed && !changed.some((path) => paths.some((pattern) => globMatches(pattern, path)))) return undefined;
  const client = new CodePipelineClient({ region });
  const { pipelineExecutionId } = await client.send(new StartPipelineExecutionCommand({ name: pipeline, clientRequestToken: event }));
  return pipelineExecutionId;
}

/** Paths that differ between two commits (CodeCommit API reference, GetDifferences), old and new names of renamed files included. */
async function changedPaths(client: CodeCommitClient, repositoryName: string, beforeCommitSpecifier: string, afterCommitSpecifier: string): Promise<string[]> {
  const found: string[] = [];
  let NextToken: string | undefined;
  do {
    const page = await client.send(new GetDifferencesCommand({ repositoryName, beforeCommitSpecifier, afterCommitSpecifier, NextToken }));
    found.push(...(page.differences ?? []).flatMap(({ beforeBlob, afterBlob }) => [beforeBlob?.path, afterBlob?.path].filter((path) => path !== undefined)));
    NextToken = page.NextToken;
  } while (NextToken);
  return found;
}
