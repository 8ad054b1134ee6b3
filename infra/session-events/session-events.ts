import { Aws, CfnOutput, CfnRule, Duration, Fn, Stack, Validations } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { CfnEventBus } from 'aws-cdk-lib/aws-events';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { CfnPipe } from 'aws-cdk-lib/aws-pipes';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Encryption } from '../constructs/encryption.ts';
import { queueSecurity, RETENTION_DAYS } from '../constructs/queues.ts';
import type { SessionEventSettings } from '../settings.ts';
import { DETAIL_TYPE_PATH } from './event-detail.ts';
import { filterPatterns, inputTemplate } from './pipe-template.ts';

/**
 * How long the pipe retries an event. The stream keeps a change for 24 hours: the other 12 remain to publish the events
 * that the pipe gave up.
 */
export const MAX_RECORD_AGE = Duration.hours(12);

export interface SessionEventsProps {
  settings: SessionEventSettings;
  /** Has a stream. */
  table: Table;
  encryption: Encryption;
}

/** Publishes the changes of sessions as events: a pipe from the stream of the table to an event bus. */
export class SessionEvents extends Construct {
  readonly #pipeName: string;
  /** Names the changes that the pipe could not publish. */
  readonly deadLetterQueue: Queue;
  /** Receives the events that the bus cannot encrypt or decrypt. Undefined unless the bus has the stack's key. */
  readonly busDeadLetterQueue: Queue | undefined;

  constructor(scope: Construct, id: string, { settings, table, encryption }: SessionEventsProps) {
    super(scope, id);
    if (settings.eventBusArn !== undefined) this.#requireOwnAccountAndRegion(settings.eventBusArn);
    if (settings.eventBusArn === undefined && encryption.dataKey)
      // Encrypted by SQS: with the key of the bus, it could not be written either when that key does not work.
      this.busDeadLetterQueue = this.#deadLetterQueue('BusDeadLetterQueue', undefined);
    const eventBusArn = settings.eventBusArn ?? this.#eventBus(encryption);
    this.deadLetterQueue = this.#deadLetterQueue('DeadLetterQueue', encryption.dataKey);
    const streamArn = table.tableStreamArn ?? '';
    const pipe = new CfnPipe(this, 'Pipe', {
      description: 'Publishes the changes of sessions as events',
      // In the role's own policies, so that they exist before the pipe.
      roleArn: this.#role({ streamArn, eventBusArn, encryption }).roleArn,
      source: streamArn,
      sourceParameters: {
        dynamoDbStreamParameters: {
          // With LATEST, changes would be missed while the pipe is created.
          startingPosition: 'TRIM_HORIZON',
          // The events of a session stay in order: in a larger batch, PutEvents may reject one and accept the next.
          batchSize: 1,
          // The maximum. DynamoDB's order per item is preserved.
          parallelizationFactor: 10,
          maximumRecordAgeInSeconds: MAX_RECORD_AGE.toSeconds(),
          maximumRetryAttempts: -1,
          deadLetterConfig: { arn: this.deadLetterQueue.queueArn },
        },
        filterCriteria: {
          filters: filterPatterns(settings).map((pattern) => ({ pattern: JSON.stringify(pattern) })),
        },
      },
      target: eventBusArn,
      targetParameters: {
        eventBridgeEventBusParameters: {
          source: Stack.of(this).stackName,
          detailType: DETAIL_TYPE_PATH,
        },
        inputTemplate: inputTemplate(),
      },
    });
    this.#pipeName = pipe.ref;
    this.#addOutputs(eventBusArn);
  }

  /**
   * A metric that EventBridge publishes about the pipe.
   *
   * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-monitoring.html
   */
  metric(metricName: 'EventCount' | 'ExecutionFailed'): Metric {
    return new Metric({
      namespace: 'AWS/EventBridge/Pipes',
      metricName,
      dimensionsMap: { PipeName: this.#pipeName },
      statistic: 'Sum',
    });
  }

  /** Adds a rule: CloudFormation checks rules before it changes anything, and shows the reason. */
  #requireOwnAccountAndRegion(eventBusArn: string): void {
    const [, , , region = '', account = ''] = eventBusArn.split(':');
    new CfnRule(this, 'OwnAccountAndRegion', {
      assertions: [
        {
          assert: Fn.conditionAnd(
            Fn.conditionEquals(Aws.REGION, region),
            Fn.conditionEquals(Aws.ACCOUNT_ID, account),
          ),
          assertDescription: `sessionEvents.eventBusArn in cdk.json is not in the account and region of the stage: ${eventBusArn}`,
        },
      ],
    });
  }

  /** Creates the event bus. Its name is fixed, because the key policy has to name it. */
  #eventBus({ key, dataKey }: Encryption): string {
    const stack = Stack.of(this);
    const name = `${stack.stackName}-sessions`;
    const arn = stack.formatArn({ service: 'events', resource: 'event-bus', resourceName: name });
    // Always, so that customerManagedKey can be changed. The statements are those of the documentation:
    // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-event-bus-cmkey.html
    const statement = { principals: [new ServicePrincipal('events.amazonaws.com')], resources: ['*'] };
    key.addToResourcePolicy(new PolicyStatement({ ...statement, actions: ['kms:DescribeKey'] }));
    key.addToResourcePolicy(
      new PolicyStatement({
        ...statement,
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        conditions: {
          StringEquals: { 'aws:SourceArn': arn, 'kms:EncryptionContext:aws:events:event-bus:arn': arn },
        },
      }),
    );
    const bus = new CfnEventBus(this, 'Bus', {
      name,
      description: 'Changes of sessions',
      ...(dataKey && { kmsKeyIdentifier: dataKey.keyArn }),
      ...(this.busDeadLetterQueue && { deadLetterConfig: { arn: this.busDeadLetterQueue.queueArn } }),
    });
    // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
    this.busDeadLetterQueue?.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('events.amazonaws.com')],
        actions: ['sqs:SendMessage'],
        resources: [this.busDeadLetterQueue.queueArn],
        conditions: { ArnEquals: { 'aws:SourceArn': arn } },
      }),
    );
    return bus.attrArn;
  }

  #deadLetterQueue(id: string, dataKey: Key | undefined): Queue {
    const queue = new Queue(this, id, {
      ...queueSecurity(dataKey),
      retentionPeriod: Duration.days(RETENTION_DAYS.deadLetterQueue),
    });
    const reason = 'This is a dead-letter queue. Its messages wait for an operator, whom an alarm notifies.';
    Validations.of(queue).acknowledge(
      { id: 'AwsSolutions::AwsSolutions-SQS3', reason },
      { id: 'Serverless::Serverless-SQSRedrivePolicy', reason },
    );
    return queue;
  }

  #role({
    streamArn,
    eventBusArn,
    encryption: { key },
  }: {
    streamArn: string;
    eventBusArn: string;
    encryption: Encryption;
  }): Role {
    const allow = (actions: string[], resource: string) =>
      new PolicyStatement({ actions, resources: [resource] });
    return new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('pipes.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
      inlinePolicies: {
        Publish: new PolicyDocument({
          statements: [
            // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-permissions.html
            allow(
              [
                'dynamodb:DescribeStream',
                'dynamodb:GetRecords',
                'dynamodb:GetShardIterator',
                'dynamodb:ListStreams',
              ],
              streamArn,
            ),
            allow(['events:PutEvents'], eventBusArn),
            allow(['sqs:SendMessage'], this.deadLetterQueue.queueArn),
            // The key may encrypt the table, and with it the stream, and the queue.
            allow(['kms:Decrypt', 'kms:GenerateDataKey'], key.keyArn),
          ],
        }),
      },
    });
  }

  #addOutputs(eventBusArn: string): void {
    const outputs = [
      ['EventBusArn', eventBusArn, 'Event bus on which session events are published'],
      ['SessionEventsPipeName', this.#pipeName, 'Pipe that publishes session events'],
      [
        'SessionEventsDeadLetterQueueUrl',
        this.deadLetterQueue.queueUrl,
        'Queue that names the changes whose events could not be published',
      ],
    ] as const;
    for (const [key, value, description] of outputs) new CfnOutput(this, key, { key, value, description });
  }
}
