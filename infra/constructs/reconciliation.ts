import { CfnOutput, Duration, Size, Stack, Validations } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement, type PolicyStatementProps } from 'aws-cdk-lib/aws-iam';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { CHARGES_PREFIX, RECONCILIATION_PREFIX } from '../exports/bucket-prefixes.ts';
import type { Settings } from '../settings.ts';
import { apiKeySecretArn } from './api-key-secret.ts';
import type { Encryption } from './encryption.ts';
import { FunctionSchedule } from './function-schedule.ts';
import { NodeFunction } from './node-function.ts';

export interface ReconciliationProps {
  settings: Settings;
  table: Table;
  /** Receives the sessions that are to be recorded. */
  queue: Queue;
  /** A session of which this queue has a delivery is not missing: it waits for an operator. */
  deadLetterQueue: Queue;
  /** Keeps the rows of the log export, and the state of the reconciliation. */
  bucket: Bucket;
  encryption: Encryption;
}

/** Compares 8x8's log export with the table every hour, and records the sessions that 8x8 never delivered. */
export class Reconciliation extends Construct {
  readonly function: NodeFunction;

  constructor(scope: Construct, id: string, props: ReconciliationProps) {
    super(scope, id);
    this.function = this.#function(props);
    this.#allowReadingAndRecording(props);
    this.#allowKeepingRows(props);
    new FunctionSchedule(this, 'Schedule', {
      target: this.function,
      description: "Compares 8x8's log export with the recorded sessions",
      minutes: 60,
      event: {},
    });
    new CfnOutput(this, 'FunctionName', {
      key: 'ReconciliationFunctionName',
      value: this.function.functionName,
      description: "Function that compares 8x8's log export with the recorded sessions",
    });
  }

  #function({ settings, table, queue, deadLetterQueue, bucket }: ReconciliationProps): NodeFunction {
    return new NodeFunction(this, 'Function', {
      folder: 'reconciliation',
      description: "Compares 8x8's log export with the recorded sessions, and records those that are missing",
      // The maximum. What is not done by then, the next invocation continues.
      timeout: Duration.minutes(15),
      // See the measured peak memory in test/README.md.
      memorySize: 2_048,
      // The files of an export (MAX_BYTES in functions/log-export/download.ts), and the rows of a day: S3 has to be told
      // their size before they are stored.
      ephemeralStorageSize: Size.gibibytes(10),
      environment: {
        LOG_EXPORT_URL: settings.logExportUrl,
        API_KEY_SECRET_NAME: settings.apiKeySecretName,
        SUB_ACCOUNT_IDS: settings.subAccountIds.join(','),
        TABLE_NAME: table.tableName,
        BUCKET_NAME: bucket.bucketName,
        QUEUE_URL: queue.queueUrl,
        DEAD_LETTER_QUEUE_URL: deadLetterQueue.queueUrl,
        MODE: settings.reconciliation,
        ...(settings.retentionDays !== undefined && { RETENTION_DAYS: String(settings.retentionDays) }),
      },
    });
  }

  #allowReadingAndRecording({ settings, table, queue, deadLetterQueue }: ReconciliationProps): void {
    this.#allow(
      {
        actions: ['secretsmanager:GetSecretValue'],
        resources: [apiKeySecretArn(Stack.of(this), settings)],
      },
      { actions: ['dynamodb:BatchGetItem'], resources: [table.tableArn] },
      { actions: ['sqs:SendMessage'], resources: [queue.queueArn] },
      {
        actions: ['sqs:ChangeMessageVisibility', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'],
        resources: [deadLetterQueue.queueArn],
      },
      // It has no resource type. It reads the age of the queue's oldest message.
      { actions: ['cloudwatch:GetMetricData'], resources: ['*'] },
    );
    Validations.of(this.node.findChild('FunctionRole')).acknowledge({
      id: 'AwsSolutions::AwsSolutions-IAM5[Resource::*]',
      reason:
        'The action GetMetricData does not support resource-level permissions. The function reads one metric of the queue.',
    });
  }

  #allowKeepingRows({ bucket, encryption: { key } }: ReconciliationProps): void {
    const prefixes = [CHARGES_PREFIX, RECONCILIATION_PREFIX];
    this.#allow(
      {
        actions: ['s3:GetObject', 's3:PutObject'],
        resources: prefixes.map((prefix) => bucket.arnForObjects(`${prefix}*`)),
      },
      {
        // Without this permission, S3 answers 403 instead of 404 if an object does not exist.
        actions: ['s3:ListBucket'],
        resources: [bucket.bucketArn],
        conditions: { StringLike: { 's3:prefix': prefixes.map((prefix) => `${prefix}*`) } },
      },
    );
    // The key may encrypt the table, the queues and the bucket.
    key.grant(this.function, 'kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKey');
    const bucketId = Stack.of(this).resolve(bucket.bucketArn)['Fn::GetAtt'][0];
    for (const prefix of prefixes) {
      Validations.of(this.node.findChild('FunctionRole')).acknowledge({
        id: `AwsSolutions::AwsSolutions-IAM5[Resource::<${bucketId}.Arn>/${prefix}*]`,
        reason: 'The names of the objects contain days and sub-accounts; all of them are under this prefix.',
      });
    }
  }

  #allow(...statements: readonly PolicyStatementProps[]): void {
    for (const statement of statements) this.function.addToRolePolicy(new PolicyStatement(statement));
  }
}
