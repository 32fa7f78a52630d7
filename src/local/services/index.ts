import type { Service } from '../kernel/service.js';
import { apigateway } from './apigateway/index.js';
import { chatbot } from './chatbot/index.js';
import { cloudformation } from './cloudformation/index.js';
import { cloudwatch } from './cloudwatch/index.js';
import { codebuild } from './codebuild/index.js';
import { codecommit } from './codecommit/index.js';
import { codeconnections, codestarConnections } from './codeconnections/index.js';
import { codepipeline } from './codepipeline/index.js';
import { codestarNotifications } from './codestar-notifications/index.js';
import { dynamodb, dynamodbstreams } from './dynamodb/index.js';
import { ec2 } from './ec2/index.js';
import { ecr } from './ecr/index.js';
import { events } from './events/index.js';
import { iam } from './iam/index.js';
import { kms } from './kms/index.js';
import { lambda } from './lambda/index.js';
import { logs } from './logs/index.js';
import { organizations } from './organizations/index.js';
import { s3 } from './s3/index.js';
import { secretsmanager } from './secretsmanager/index.js';
import { serviceQuotas } from './service-quotas/index.js';
import { sns } from './sns/index.js';
import { sqs } from './sqs/index.js';
import { ssm } from './ssm/index.js';
import { sts } from './sts/index.js';

/** Every service of the local cloud. A new one is a folder here and a line. */
export const services: readonly Service[] = [apigateway, chatbot, cloudformation, cloudwatch, codebuild, codecommit, codeconnections, codepipeline, codestarConnections, codestarNotifications, dynamodb, dynamodbstreams, ec2, ecr, events, iam, kms, lambda, logs, organizations, s3, secretsmanager, serviceQuotas, sns, sqs, ssm, sts];
