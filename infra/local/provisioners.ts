import { join } from 'node:path';
import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { CreateTopicCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import * as v from 'valibot';
import { API_PROVISIONERS } from './api-provisioners.ts';
import { EVENT_PROVISIONERS } from './event-provisioners.ts';
import { functionArn } from './lambda.ts';
import {
  functionOf,
  type Provisioner,
  type ProvisioningContext,
  queueUrlOf,
} from './provisioning-context.ts';
import { generateSecretString } from './secrets-manager.ts';
import { ACCOUNT, type Provision, REGION } from './template.ts';

/** Finds the provisioner of a resource type. It parses only the properties that have an effect on this machine. */
export function provisionerOf(context: ProvisioningContext): (type: string) => Provision {
  return (type) => {
    if (type.startsWith('Custom::')) return customResource(context, type);
    const make = PROVISIONERS[type];
    if (make) return (properties, logicalId) => make(context, properties, logicalId);
    if (WITHOUT_EFFECT.has(type))
      return async (_, logicalId) => ({ ref: logicalId, attributes: { Arn: logicalId } });
    throw new Error(`The local stack does not support ${type}; see infra/local/provisioners.ts.`);
  };
}

/** Types without an effect here: permissions, keys, logs, traces, alarms, API deployments, exports. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  'AWS::ApiGateway::Deployment',
  'AWS::Athena::NamedQuery',
  'AWS::Athena::WorkGroup',
  'AWS::CDK::Metadata',
  'AWS::CloudWatch::Alarm',
  'AWS::CloudWatch::Dashboard',
  'AWS::Glue::Database',
  'AWS::Glue::Table',
  'AWS::IAM::ManagedPolicy',
  'AWS::IAM::Policy',
  'AWS::IAM::Role',
  'AWS::KMS::Key',
  'AWS::Lambda::Permission',
  'AWS::Logs::LogGroup',
  'AWS::S3::BucketPolicy',
  'AWS::SNS::Subscription',
  'AWS::SNS::TopicPolicy',
  'AWS::SQS::QueuePolicy',
  'AWS::XRay::SamplingRule',
]);

const PROVISIONERS: Readonly<Record<string, Provisioner>> = {
  async 'AWS::SQS::Queue'({ sqs, sqsEndpoint, queueUrls, stackName }, properties, logicalId) {
    const { Tags: _, ...attributes } = v.parse(v.looseObject({ Tags: v.optional(v.unknown()) }), properties);
    const name = `${stackName}-${logicalId}`;
    const { QueueUrl = '' } = await sqs.send(
      new CreateQueueCommand({
        QueueName: name,
        Attributes: Object.fromEntries(
          Object.entries(attributes).map(([key, value]) => [
            key,
            typeof value === 'object' ? JSON.stringify(value) : String(value),
          ]),
        ),
      }),
    );
    const arn = `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`;
    // The URL of the emulator has a host name that some machines cannot resolve. The emulator uses only the path.
    const url = new URL(new URL(QueueUrl).pathname, sqsEndpoint).href;
    queueUrls.set(arn, url);
    return { ref: url, attributes: { Arn: arn, QueueName: name } };
  },

  async 'AWS::SNS::Topic'({ sns, stackName }, _, logicalId) {
    const { TopicArn = '' } = await sns.send(new CreateTopicCommand({ Name: `${stackName}-${logicalId}` }));
    return { ref: TopicArn };
  },

  async 'AWS::S3::Bucket'({ s3, stackName }, _, logicalId) {
    // Names of buckets have no capital letters, and at most 63 characters.
    const name = `${stackName}-${logicalId}`.toLowerCase().slice(0, 63);
    await s3.send(new CreateBucketCommand({ Bucket: name }));
    return { ref: name, attributes: { Arn: `arn:aws:s3:::${name}` } };
  },

  async 'AWS::DynamoDB::Table'({ dynamodb, streams, stackName }, properties, logicalId) {
    const name = `${stackName}-${logicalId}`;
    const { StreamSpecification, ...definition } = v.parse(
      v.object({
        StreamSpecification: v.optional(v.object({ StreamViewType: v.literal('NEW_IMAGE') })),
        AttributeDefinitions: v.array(
          v.object({ AttributeName: v.string(), AttributeType: v.picklist(['S', 'N', 'B']) }),
        ),
        KeySchema,
        GlobalSecondaryIndexes: v.array(
          v.object({
            IndexName: v.string(),
            KeySchema,
            Projection: v.object({ ProjectionType: v.picklist(['ALL', 'KEYS_ONLY']) }),
          }),
        ),
      }),
      properties,
    );
    await dynamodb.send(
      new CreateTableCommand({ TableName: name, BillingMode: 'PAY_PER_REQUEST', ...definition }),
    );
    const Arn = `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${name}`;
    if (!StreamSpecification) return { ref: name, attributes: { Arn } };
    const StreamArn = `${Arn}/stream/2026-01-01T00:00:00.000`;
    streams.enable(
      name,
      StreamArn,
      definition.KeySchema.map(({ AttributeName }) => AttributeName),
    );
    return { ref: name, attributes: { Arn, StreamArn } };
  },

  async 'AWS::SecretsManager::Secret'({ secrets, stackName }, properties, logicalId) {
    const { GenerateSecretString } = v.parse(
      v.object({
        GenerateSecretString: v.object({ PasswordLength: v.number(), ExcludePunctuation: v.literal(true) }),
      }),
      properties,
    );
    const arn = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${stackName}-${logicalId}`;
    secrets.set(arn, generateSecretString(GenerateSecretString.PasswordLength));
    return { ref: arn };
  },

  async 'AWS::Lambda::Function'({ assembly, functions, stackName, start }, properties, logicalId) {
    const { Code, Environment, MemorySize, Timeout } = v.parse(
      v.object({
        Code: v.object({ S3Key: v.string() }),
        Environment: v.optional(v.object({ Variables: v.record(v.string(), v.string()) }), { Variables: {} }),
        MemorySize: v.optional(v.number(), 128),
        Timeout: v.number(),
      }),
      properties,
    );
    const name = `${stackName}-${logicalId}`;
    functions.set(
      functionArn(name),
      start({
        name,
        // CDK creates the asset <hash>.zip from the folder asset.<hash>.
        bundle: join(assembly, `asset.${Code.S3Key.replace(/\.zip$/, '')}`, 'index.js'),
        timeoutSeconds: Timeout,
        memoryMegabytes: MemorySize,
        environment: Environment.Variables,
      }),
    );
    return { ref: name, attributes: { Arn: functionArn(name) } };
  },

  async 'AWS::Lambda::EventSourceMapping'(context, properties) {
    const { BatchSize, EventSourceArn, FunctionName, MaximumBatchingWindowInSeconds } = v.parse(
      v.object({
        BatchSize: v.number(),
        EventSourceArn: v.string(),
        FunctionName: v.string(),
        FunctionResponseTypes: v.tuple([v.literal('ReportBatchItemFailures')]),
        MaximumBatchingWindowInSeconds: v.optional(v.number(), 0),
      }),
      properties,
    );
    context.eventSources.push({
      queueArn: EventSourceArn,
      queueUrl: queueUrlOf(context, EventSourceArn),
      batchSize: BatchSize,
      batchingWindowSeconds: MaximumBatchingWindowInSeconds,
      target: functionOf(context, functionArn(FunctionName)),
    });
    return { ref: EventSourceArn };
  },

  async 'AWS::Scheduler::Schedule'(context, properties, logicalId) {
    const { ScheduleExpression, Target } = v.parse(
      v.object({
        ScheduleExpression: v.string(),
        Target: v.object({ Arn: v.string(), Input: v.pipe(v.string(), v.parseJson()) }),
      }),
      properties,
    );
    context.schedules.push({
      minutes: Number(v.parse(Rate, ScheduleExpression).match(/\d+/)),
      target: functionOf(context, Target.Arn),
      event: Target.Input,
    });
    return { ref: logicalId };
  },
  ...API_PROVISIONERS,
  ...EVENT_PROVISIONERS,
};

const Rate = v.pipe(v.string(), v.regex(/^rate\(\d+ minutes\)$/));

const KeySchema = v.array(v.object({ AttributeName: v.string(), KeyType: v.picklist(['HASH', 'RANGE']) }));

/**
 * Creates a custom resource as CloudFormation does through the CDK provider framework. The framework's function only
 * forwards events and responses, so our function is invoked directly.
 */
function customResource(context: ProvisioningContext, type: string): Provision {
  return async (properties, logicalId) => {
    const { ServiceToken } = v.parse(v.looseObject({ ServiceToken: v.string() }), properties);
    const onEvent = functionOf(context, ServiceToken).environment['USER_ON_EVENT_FUNCTION_ARN'] ?? '';
    const answer = await functionOf(context, onEvent).invoke({
      RequestType: 'Create',
      RequestId: logicalId,
      StackId: `arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/${context.stackName}/local`,
      LogicalResourceId: logicalId,
      ResourceType: type,
      ResourceProperties: asText(properties),
    });
    const { PhysicalResourceId, Data } = v.parse(
      v.object({ PhysicalResourceId: v.string(), Data: v.optional(v.record(v.string(), v.string()), {}) }),
      answer,
    );
    return { ref: PhysicalResourceId, attributes: Data };
  };
}

/** CloudFormation sends every scalar property of a custom resource as a string. */
function asText(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asText);
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, asText(inner)]));
}
