import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, CfnOutput, CfnResource, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { Fleet } from '../../../src/cdk/index.js';
import { shapeOf } from '../../../src/fleet/shape.js';
import { fleets } from '../fleet/fleets.js';

const folder = mkdtempSync(join(tmpdir(), 'fleets-'));
for (const name of ['network.yaml', 'app.yaml']) writeFileSync(join(folder, name), 'Resources: { Topic: { Type: "AWS::SNS::Topic" } }\n');
afterAll(() => rmSync(folder, { recursive: true }));
let nth = 0;

interface Action {
  readonly ActionTypeId: { readonly Category: string; readonly Provider: string };
}

test('any fleet becomes pipelines, with the actions, builds and approvals that its plan counts', () => {
  fc.assert(
    fc.property(fleets, (input) => {
      const app = new App({ outdir: join(folder, `out-${nth++}`) });
      const fleet = Fleet.load(app, input, { folder }).deploy((stage, target) => {
        for (const [index, { region, env }] of target.regions.entries()) {
          const stack = new Stack(stage, index === 0 ? 'Api' : `Api-${region}`, { env });
          new CfnOutput(stack, 'Url', { value: new CfnResource(stack, 'Topic', { type: 'AWS::SNS::Topic' }).ref });
        }
      });
      for (const [index, pipeline] of fleet.model.pipelines.entries()) {
        const { Stages } = Object.values(Template.fromStack(fleet.pipelineStacks[index]!).findResources('AWS::CodePipeline::Pipeline'))[0]!['Properties'] as { Stages: { Name: string; Actions: Action[] }[] };
        const count = (of: (action: Action) => boolean): number => Stages.flatMap(({ Actions }) => Actions).filter(of).length;
        const { stages } = shapeOf(pipeline, { stacks: 1 });
        const sum = (of: (stage: (typeof stages)[number]) => number): number => stages.reduce((total, stage) => total + of(stage), 0);
        // The app has no assets: CDK Pipelines leaves their stage out.
        const made = { actions: count(() => true), builds: count(({ ActionTypeId }) => ActionTypeId.Provider === 'CodeBuild'), approvals: count(({ ActionTypeId }) => ActionTypeId.Category === 'Approval') };
        expect({ ...made, name: Stages.map(({ Name, Actions }) => `${Name} ${Actions.length}`).join() }).toEqual({ actions: sum((stage) => stage.actions) - 1, builds: sum((stage) => stage.builds) - 1, approvals: sum((stage) => stage.approvals), name: expect.any(String) });
      }
    }),
    { numRuns: 8 },
  );
}, 120_000);
