import type { App } from 'aws-cdk-lib';
import { Fleet } from 'flotilla/cdk';
import { NetworkingStack } from './networking-stack.js';
import { parameters, type Parameters } from './parameters.js';

/** The fleet with one deployment laid over it: a stage an environment, a copy of the stack in each of its regions. */
export function networking(app: App, deployment: string): Fleet<Parameters> {
  return Fleet.load(app, 'flotilla.yaml', { overlays: [`deployments/${deployment}.yaml`], parameters }).deploy((stage, target) => {
    for (const { region, env, params } of target.regions) new NetworkingStack(stage, `Networking-${region}`, { ...params, env });
  });
}
