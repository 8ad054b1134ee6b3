import { Duration, Validations } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Tracing } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Settings } from '../settings.ts';
import type { Encryption } from './encryption.ts';
import { NodeFunction } from './node-function.ts';
import { TIMEOUT_SECONDS } from './timeouts.ts';

export interface RecorderProps {
  queue: Queue;
  deadLetterQueue: Queue;
  table: Table;
  encryption: Encryption;
  settings: Settings;
}

/**
 * The visibility timeout that AWS recommends, so that a throttled batch is not received twice: six times the function's
 * timeout, plus the batching window.
 */
export function visibilityTimeout({ recorderWindowSeconds }: Settings): Duration {
  return Duration.seconds(6 * TIMEOUT_SECONDS.recorder + recorderWindowSeconds);
}

/** The function that polls the queue and records the deliveries. */
export class Recorder extends Construct {
  readonly function: NodeFunction;
  /** The event source mapping from the queue to the function. */
  readonly eventSourceMappingId: string;

  constructor(scope: Construct, id: string, props: RecorderProps) {
    super(scope, id);
    const { queue, deadLetterQueue, table, encryption, settings } = props;
    this.function = new NodeFunction(this, 'Function', {
      folder: 'recorder',
      tracing: Tracing.PASS_THROUGH,
      description: 'Records sessions from the queue in the table',
      timeout: Duration.seconds(TIMEOUT_SECONDS.recorder),
      environment: {
        TABLE_NAME: table.tableName,
        QUEUE_URL: queue.queueUrl,
        DEAD_LETTER_QUEUE_URL: deadLetterQueue.queueUrl,
        ...(settings.retentionDays !== undefined && { RETENTION_DAYS: String(settings.retentionDays) }),
        ...(settings.sessionEvents && {
          SESSION_EVENTS: settings.sessionEvents.phoneNumbers
            ? 'with-phone-numbers'
            : 'without-phone-numbers',
        }),
      },
    });
    // table.grant would also grant access to the index, which the recorder does not use.
    this.function.addToRolePolicy(
      new PolicyStatement({ actions: ['dynamodb:PutItem', 'dynamodb:GetItem'], resources: [table.tableArn] }),
    );
    deadLetterQueue.grant(this.function, 'sqs:SendMessage');
    encryption.grantReadAndWrite(this.function);
    const source = new SqsEventSource(queue, {
      batchSize: 10,
      maxBatchingWindow: Duration.seconds(settings.recorderWindowSeconds),
      reportBatchItemFailures: true,
      // A burst waits in the queue, instead of exhausting the account's concurrency or overloading DynamoDB.
      maxConcurrency: settings.recorderConcurrency,
    });
    this.function.addEventSource(source);
    this.eventSourceMappingId = source.eventSourceMappingId;
    Validations.of(this.function).acknowledge(
      {
        id: 'Serverless::Serverless-LambdaEventSourceMappingDestination',
        reason:
          'Lambda supports on-failure destinations for streams but not for SQS, where the redrive policy keeps failed messages.',
      },
      {
        id: 'Serverless::Serverless-LambdaTracing',
        reason:
          'The recorder follows the sampling decision of its deliveries. With active tracing it would sample batches independently.',
      },
    );
  }
}
