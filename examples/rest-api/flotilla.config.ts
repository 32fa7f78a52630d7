import { defineFleet } from 'flotilla/cdk';

const connection = 'arn:aws:codeconnections:eu-west-1:999999999999:connection/11111111-2222-3333-4444-555555555555';

/** One pipeline for each environment, each following a branch of its own. */
export default defineFleet({
  fleet: 'rest-api',

  pipeline: {
    account: '999999999999',
    region: 'eu-west-1',
    source: { bitbucket: 'acme/rest-api', connection, branch: 'develop' },
    synth: ['npm ci', 'npm test', 'npx cdk synth --quiet'],
    build: { architecture: 'arm', buildspec: { phases: { install: { 'runtime-versions': { nodejs: '22' } } } } },
  },

  pipelines: {
    dev: { branch: 'develop', environments: ['dev'] },
    uat: { branch: 'uat', environments: ['uat'] },
    production: { branch: 'main', environments: ['production'], terminationProtection: true },
  },

  environments: {
    dev: { account: '111111111111', region: 'eu-west-1', gates: { permissions: { when: 'broadened', approve: false } }, parameters: { throttle: 10 } },
    uat: { account: '222222222222', region: 'eu-west-1', gates: { permissions: 'broadened' }, parameters: { throttle: 10 } },
    production: { account: '333333333333', region: 'eu-west-1', gates: { permissions: 'broadened', approval: 'DeployToProduction' }, parameters: { throttle: 100 } },
  },

  notify: {
    email: ['team@example.com'],
    slack: { workspace: 'T01234567', channel: 'C01234567', name: 'rest-api-pipelines' },
    events: ['started', 'succeeded', 'failed', 'approval-needed'],
  },
});
