import { unreachable } from '../../../shared/errors.js';
import { hasResourceType } from '../../models/resources.js';
import { apigateway } from './apigateway.js';
import { cdk } from './cdk.js';
import { cloudformation } from './cloudformation.js';
import { codeconnections } from './codeconnections.js';
import { codecommit } from './codecommit.js';
import { codebuild } from './codebuild.js';
import { codepipeline } from './codepipeline.js';
import { ecr } from './ecr.js';
import { events } from './events.js';
import { iam } from './iam.js';
import { kms } from './kms.js';
import { lambda } from './lambda.js';
import { logs } from './logs.js';
import { modelledProvider } from './modelled.js';
import { notifications } from './notifications.js';
import { ec2 } from './ec2.js';
import { dynamodb } from './dynamodb.js';
import { cloudwatch } from './cloudwatch.js';
import type { ResourceProvider } from './provider.js';
import { s3 } from './s3.js';
import { secretsmanager } from './secretsmanager.js';
import { sns } from './sns.js';
import { sqs } from './sqs.js';
import { ssm } from './ssm.js';

/** The families with behaviour. A new one is a file here and a line. */
const FAMILIES: readonly (readonly ResourceProvider[])[] = [apigateway, cdk, cloudformation, cloudwatch, codebuild, codecommit, codeconnections, codepipeline, dynamodb, ec2, ecr, events, iam, kms, lambda, logs, notifications, s3, secretsmanager, sns, sqs, ssm];

const known = new Map(FAMILIES.flat().map((provider) => [provider.type, provider]));

/** The provider of a type: its own, that of all custom resources, or the schema's. Unknown types were refused with the template. */
export function providerOf(type: string): ResourceProvider {
  const own = known.get(type) ?? (type.startsWith('Custom::') ? known.get('AWS::CloudFormation::CustomResource') : undefined);
  if (own) return own;
  if (!hasResourceType(type)) return unreachable(`no provider for ${type}`);
  const provider = modelledProvider(type);
  known.set(type, provider);
  return provider;
}
