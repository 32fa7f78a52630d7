import { App } from 'aws-cdk-lib';
import { networking } from '../lib/networking.js';

// Another deployment of the same network: npx cdk synth -c deployment=NAME
const app = new App();
networking(app, (app.node.tryGetContext('deployment') as string | undefined) ?? 'core');
