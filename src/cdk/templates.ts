import { Stack, type Stage } from 'aws-cdk-lib';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Target } from '../fleet/index.js';
import { FlotillaError } from '../shared/errors.js';

/** Adds the stacks of hand-written CloudFormation to a stage: one in each of its regions, as they stand, with the parameters of the file. */
export function addTemplates(stage: Stage, { templates, regions, account, regionsIn, stageId }: Target, folder: string): void {
  for (const { name, template, parameters } of templates) {
    const templateFile = resolve(folder, template);
    if (!existsSync(templateFile)) throw new FlotillaError('CDK020', `the template of stack '${name}' in ${stageId} is missing`, { where: templateFile, fix: 'templates are found from the folder of the fleet file', exitCode: 2 });
    for (const { region } of regions) {
      const stack = new Stack(stage, regionsIn === 'stages' ? name : `${name}-${region}`, { env: { account, region } });
      new CfnInclude(stack, 'Template', { templateFile, parameters: { ...parameters } });
    }
  }
}
