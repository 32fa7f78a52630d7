import { App, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/** Synthesizes stacks into `outdir`: the cloud assembly that `cdk -a OUTDIR` takes, without a process for it. */
export function synthesize(outdir: string, define: (app: App) => void): string {
  const app = new App({ outdir, context: { 'aws:cdk:version-reporting': false }, analyticsReporting: false, treeMetadata: false });
  define(app);
  app.synth();
  return outdir;
}

/** A stack of the resources that `define` puts into it. */
export function stack(scope: Construct, name: string, environment: { account: string; region: string }, define: (stack: Stack) => void, props: StackProps = {}): Stack {
  const made = new Stack(scope, name, { env: environment, ...props });
  define(made);
  return made;
}
