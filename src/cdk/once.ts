import type { Stack } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** The construct of this ID in a stack, made by the first who asks: for what several settings refer to. */
export function once<T extends IConstruct>(stack: Stack, id: string, make: (id: string) => T): T {
  return (stack.node.tryFindChild(id) as T | undefined) ?? make(id);
}
