import type { Mistake } from '../../config/index.js';

/** Takes down what is wrong; resolving goes on, so that everything is told at once. */
export type Report = (mistake: Mistake) => void;

/** `pre-prod` → `PreProd`. */
export function pascalCase(name: string): string {
  return name
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}

/** What the placeholders of a stage name stand for. */
export interface StageParts {
  readonly environment: string;
  readonly account: string;
  readonly region: string;
}

/** Fills a stage name's placeholders; answers the first one that it doesn't know as `unknown`. */
export function fillStageName(template: string, parts: StageParts): { readonly id: string; readonly unknown: string | undefined } {
  const values: Readonly<Record<string, string>> = { ...parts, Environment: pascalCase(parts.environment) };
  let unknown: string | undefined;
  const id = template.replaceAll(/\{([^{}]*)\}/g, (whole, key: string) => {
    if (Object.hasOwn(values, key)) return values[key]!;
    unknown ??= whole;
    return whole;
  });
  return { id, unknown };
}

/**
 * CDK takes letters, digits, `-_.` for the ID of a stage (Stage's constructor), CloudFormation letters, digits and hyphens for a stack's
 * name, which begins with it and may have 128 characters: half of them are left to the stack.
 */
export const STAGE_ID = /^[A-Za-z][A-Za-z0-9-]{1,63}$/;
