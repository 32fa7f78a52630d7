import { cloudformation } from '../../../src/local/services/cloudformation/index.js';
import { cloudwatch } from '../../../src/local/services/cloudwatch/index.js';
import { ec2 } from '../../../src/local/services/ec2/index.js';
import { iam } from '../../../src/local/services/iam/index.js';
import { lambda } from '../../../src/local/services/lambda/index.js';
import { s3 } from '../../../src/local/services/s3/index.js';
import { sns } from '../../../src/local/services/sns/index.js';
import { sqs } from '../../../src/local/services/sqs/index.js';
import { ssm } from '../../../src/local/services/ssm/index.js';
import { sts } from '../../../src/local/services/sts/index.js';
import { ManualClock } from '../../../src/shared/clock.js';
import { TestCloud } from './world.js';

/** A cloud whose time moves when it is told to. */
export class Timed extends TestCloud {
  readonly clock = new ManualClock(Date.UTC(2026, 10, 1));

  constructor() {
    super([cloudformation, cloudwatch, ec2, iam, lambda, s3, sns, sqs, ssm, sts]);
    this.boot({ clock: this.clock });
  }

  /** Lets `seconds` pass, one after another, with everything done that is due. */
  async pass(seconds: number): Promise<void> {
    for (let i = 0; i < seconds; i++) {
      this.clock.advance(1000);
      for (let turn = 0; turn < 60; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async status(name: string): Promise<string> {
    const { Stacks } = await this.call<{ Stacks: { StackStatus: string }[] }>('cloudformation', 'DescribeStacks', { StackName: name });
    return Stacks[0]!.StackStatus;
  }

  async start(template: object, more: object = {}): Promise<string> {
    const { StackId } = await this.call<{ StackId: string }>('cloudformation', 'CreateStack', { StackName: 's', TemplateBody: JSON.stringify(template), ...more });
    await this.pass(2);
    return StackId;
  }

  async change(template: object, more: object = {}): Promise<void> {
    await this.call('cloudformation', 'UpdateStack', { StackName: 's', TemplateBody: JSON.stringify(template), ...more });
    await this.pass(2);
  }

  async alarm(state: 'OK' | 'ALARM'): Promise<void> {
    await this.call('cloudwatch', 'PutMetricAlarm', { AlarmName: 'errors', MetricName: 'm', Namespace: 'n', Statistic: 'Sum', Period: 60, EvaluationPeriods: 1, Threshold: 1, ComparisonOperator: 'GreaterThanThreshold', TreatMissingData: 'ignore' });
    await this.call('cloudwatch', 'SetAlarmState', { AlarmName: 'errors', StateValue: state, StateReason: 'told to' });
  }

  async reasons(id: string, status: string): Promise<(string | undefined)[]> {
    return (await this.events(id)).filter((event) => event.ResourceStatus === status).map((event) => event.ResourceStatusReason);
  }
}
