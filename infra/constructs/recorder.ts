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
 * How long the queue hides a batch: six times the function's timeout, and the window, as AWS recommends, so that a
 * throttled batch is not received twice.
 */
export function visibilityTimeout({ recorderWindowSeconds }: Settings): Duration {
  return Duration.seconds(6 * TIMEOUT_SECONDS.recorder + recorderWindowSeconds);
}

/** The function that records deliveries from the queue. */
export class Recorder extends Construct {
  readonly function: NodeFunction;
  /** The mapping that feeds it from the queue. */
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
      },
    });
    // Not table.grant: that covers the indexes too, which are only read, and not from here.
    this.function.addToRolePolicy(
      new PolicyStatement({ actions: ['dynamodb:PutItem', 'dynamodb:GetItem'], resources: [table.tableArn] }),
    );
    deadLetterQueue.grant(this.function, 'sqs:SendMessage');
    encryption.grantReadAndWrite(this.function);
    const source = new SqsEventSource(queue, {
      batchSize: 10,
      maxBatchingWindow: Duration.seconds(settings.recorderWindowSeconds),
      reportBatchItemFailures: true,
      // A burst waits in the queue, instead of taking the account's concurrency or DynamoDB's.
      maxConcurrency: settings.recorderConcurrency,
    });
    this.function.addEventSource(source);
    this.eventSourceMappingId = source.eventSourceMappingId;
    Validations.of(this.function).acknowledge(
      {
        id: 'Serverless::Serverless-LambdaEventSourceMappingDestination',
        reason: 'Lambda has destinations for streams only; of a queue, the redrive policy keeps what fails.',
      },
      {
        id: 'Serverless::Serverless-LambdaTracing',
        reason:
          'It is traced when its deliveries are: an active function would sample its batches by itself.',
      },
    );
  }
}
