import { App } from 'aws-cdk-lib';
import { Fleet } from 'flotilla/cdk';
import { PaymentsStack } from '../lib/payments-stack.js';

Fleet.load(new App(), 'flotilla.yaml').deploy((stage, target) => {
  new PaymentsStack(stage, 'Payments', { env: target.env });
});
