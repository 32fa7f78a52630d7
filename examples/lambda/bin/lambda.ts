import { App } from 'aws-cdk-lib';
import { Fleet } from 'flotilla/cdk';
import { GreeterStack } from '../lib/greeter-stack.js';

Fleet.load(new App(), 'flotilla.yaml').deploy((stage, target) => {
  new GreeterStack(stage, 'Greeter', { env: target.env, greeting: target.params.greeting });
});
