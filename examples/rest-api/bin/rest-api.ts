import { App } from 'aws-cdk-lib';
import { Fleet } from 'flotilla/cdk';
import fleet from '../flotilla.config.js';
import { ApiStack } from '../lib/api-stack.js';

Fleet.load(new App(), fleet).deploy((stage, target) => {
  new ApiStack(stage, 'Api', { env: target.env, throttle: target.params.throttle });
});
