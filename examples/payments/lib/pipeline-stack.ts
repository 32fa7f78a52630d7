import { Stack, type StackProps } from 'aws-cdk-lib';
import { Repository } from 'aws-cdk-lib/aws-codecommit';
import { CodePipeline, CodePipelineSource, ManualApprovalStep, ShellStep } from 'aws-cdk-lib/pipelines';
import type { Construct } from 'constructs';
import { PaymentsStage } from './payments-stage.js';

export interface PipelineProps extends StackProps {
  readonly repository: string;
  readonly branch: string;
}

/** dev → staging → prod in two regions, as the documentation of CDK Pipelines teaches it. */
export class PipelineStack extends Stack {
  constructor(scope: Construct, id: string, props: PipelineProps) {
    super(scope, id, props);
    const source = CodePipelineSource.codeCommit(Repository.fromRepositoryName(this, 'Repository', props.repository), props.branch);
    const pipeline = new CodePipeline(this, 'Pipeline', {
      pipelineName: 'payments',
      crossAccountKeys: true,
      synth: new ShellStep('Synth', {
        input: source,
        installCommands: ['npm install -g aws-cdk@2'],
        commands: ['npm ci', 'npm test', 'cdk synth --quiet'],
      }),
    });

    const dev = new PaymentsStage(this, 'Dev', { env: { account: '111111111111', region: 'us-east-1' } });
    pipeline.addStage(dev, {
      post: [new ShellStep('SmokeTest', { envFromCfnOutputs: { ApiUrl: dev.apiUrl }, commands: ['curl -fsS "${ApiUrl}health"'] })],
    });

    const staging = new PaymentsStage(this, 'Staging', { env: { account: '222222222222', region: 'us-east-1' } });
    pipeline.addStage(staging, {
      post: [new ShellStep('IntegrationTest', { input: source, envFromCfnOutputs: { ApiUrl: staging.apiUrl }, commands: ['npm run test:integration'] })],
    });

    const prod = pipeline.addWave('Prod', { pre: [new ManualApprovalStep('PromoteToProd')] });
    for (const region of ['us-east-1', 'eu-west-1']) {
      prod.addStage(new PaymentsStage(this, `Prod-${region}`, { env: { account: '333333333333', region } }));
    }
  }
}
