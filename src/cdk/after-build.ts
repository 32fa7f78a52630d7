import { Aspects, AspectPriority, type Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';

/**
 * Does something once the pipeline of a stack is built. CDK Pipelines builds when aspects visit its construct, and aspects visit children
 * in the order they were made: so this hangs on a construct made after it, which holds nothing.
 */
export function afterBuild(stack: Stack, id: string, work: () => void): void {
  let done = false;
  const visit = (): void => {
    if (!done) work();
    done = true;
  };
  Aspects.of(new Construct(stack, id)).add({ visit }, { priority: AspectPriority.READONLY });
}
