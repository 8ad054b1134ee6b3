import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SNSClient } from '@aws-sdk/client-sns';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Api } from './api-gateway.ts';
import type { EventBridge } from './event-bus.ts';
import type { EventSource } from './event-source.ts';
import type { FunctionDefinition, Invocable, LocalFunction } from './lambda.ts';
import type { Pipe } from './pipe.ts';
import type { TableStreams } from './table-streams.ts';
import type { Provisioned } from './template.ts';

/** The clients and collections that the provisioners share. */
export interface ProvisioningContext {
  stackName: string;
  /** The folder of the cloud assembly, which contains the functions' bundles. */
  assembly: string;
  sqs: SQSClient;
  sqsEndpoint: string;
  dynamodb: DynamoDBClient;
  sns: SNSClient;
  s3: S3Client;
  events: EventBridgeClient;
  start(definition: FunctionDefinition): LocalFunction;
  /** The queues' URLs, by ARN. */
  queueUrls: Map<string, string>;
  /** The values of secrets, by ARN, or by name for those outside the template. */
  secrets: Map<string, string>;
  /** The functions, by ARN. */
  functions: Map<string, LocalFunction>;
  streams: TableStreams;
  eventBridge: EventBridge;
  /** The pipes, by name. */
  pipes: Map<string, Pipe>;
  eventSources: EventSource[];
  schedules: Schedule[];
  api: Api;
}

/** Invokes a function immediately, and then at regular intervals. */
export interface Schedule {
  minutes: number;
  target: Invocable;
  event: unknown;
}

/** Provisions a resource of one type. */
export type Provisioner = (
  context: ProvisioningContext,
  properties: unknown,
  logicalId: string,
) => Promise<Provisioned>;

/** Finds the URL of the queue with this ARN. */
export function queueUrlOf({ queueUrls }: ProvisioningContext, arn: string): string {
  const found = queueUrls.get(arn);
  if (found === undefined) throw new Error(`The template has no queue ${arn}`);
  return found;
}

/** Finds the function with this ARN. */
export function functionOf(context: ProvisioningContext, arn: string): LocalFunction {
  const found = context.functions.get(arn);
  if (!found) throw new Error(`The template has no function ${arn}`);
  return found;
}
