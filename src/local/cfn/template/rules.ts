import { evaluateCondition } from '../evaluate/conditions.js';
import type { Scope } from '../evaluate/scope.js';
import { validationError } from './error.js';
import type { Template } from './model.js';

/** Checks the assertions of the `Rules` section (user guide: "Rules"; CDK writes CheckBootstrapVersion there). */
export function checkRules(template: Template, scope: Scope): void {
  for (const [name, rule] of Object.entries(template.rules)) {
    if (rule.condition !== undefined && !evaluateCondition(rule.condition, scope)) continue;
    const failed = rule.assertions.filter((assertion) => !evaluateCondition(assertion.assert, scope));
    if (failed.length > 0) {
      throw validationError(`Template constraint violation. Rule: ${name}, Assertion: ${failed.map((assertion) => assertion.description ?? 'assertion failed').join('; ')}`);
    }
  }
}
