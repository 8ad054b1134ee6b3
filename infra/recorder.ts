import { Duration } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { NodeFunction } from './node-function.ts';

export interface RecorderProps {
  queue: Queue;
  deadLetterQueue: Queue;
  table: Table;
}

const timeout = Duration.seconds(30);
const batchingWindow = Duration.seconds(1);

export const recorderTimes = {
  timeout,
  batchingWindow,
  /** Six times the function's timeout and the window: what AWS recommends, so that a throttled batch is not received twice. */
  visibilityTimeout: Duration.seconds(6 * timeout.toSeconds()).plus(batchingWindow),
};

/** The function that records deliveries from the queue. */
export class Recorder extends Construct {
  constructor(scope: Construct, id: string, { queue, deadLetterQueue, table }: RecorderProps) {
    super(scope, id);
    const recorder = new NodeFunction(this, 'Function', {
      folder: 'recorder',
      description: 'Records sessions from the queue in the table',
      timeout,
      environment: { TABLE_NAME: table.tableName, DEAD_LETTER_QUEUE_URL: deadLetterQueue.queueUrl },
    });
    // Not table.grant: that covers the indexes too, which are only read, and not from here.
    recorder.addToRolePolicy(
      new PolicyStatement({ actions: ['dynamodb:PutItem', 'dynamodb:GetItem'], resources: [table.tableArn] }),
    );
    deadLetterQueue.grant(recorder, 'sqs:SendMessage');
    recorder.addEventSource(
      new SqsEventSource(queue, {
        batchSize: 10,
        maxBatchingWindow: batchingWindow,
        reportBatchItemFailures: true,
      }),
    );
  }
}
