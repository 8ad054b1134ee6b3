import { Duration, Size, Validations } from 'aws-cdk-lib';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Encryption } from './encryption.ts';

/** How often a message is received before SQS itself makes it a dead letter: 19 back-offs are 14 hours (retry-policy.ts). */
export const MAX_RECEIVE_COUNT = 20;

/** How many days the queue, and the dead-letter queue, keep a message; the second counts from the first's beginning. */
export const RETENTION_DAYS = { queue: 10, deadLetterQueue: 14 } as const;

export interface QueuesProps {
  encryption: Encryption;
  /** How long a message that was received is hidden. */
  visibilityTimeout: Duration;
}

/** The queue of deliveries to be recorded, and the one of those that could not be. */
export class Queues extends Construct {
  readonly queue: Queue;
  readonly deadLetterQueue: Queue;

  constructor(scope: Construct, id: string, { encryption: { dataKey }, visibilityTimeout }: QueuesProps) {
    super(scope, id);
    // A body of 256 KiB fits a message of 1 MiB even when it has to be encoded; 1 MiB is the most that SQS takes.
    const common = {
      ...(dataKey
        ? {
            encryption: QueueEncryption.KMS,
            encryptionMasterKey: dataKey,
            // An hour instead of five minutes: the most that one data key is used, and the fewest requests to KMS.
            dataKeyReuse: Duration.hours(1),
          }
        : { encryption: QueueEncryption.SQS_MANAGED }),
      enforceSSL: true,
      maxMessageSizeBytes: Size.mebibytes(1).toBytes(),
    };

    // A message keeps the age it had in the queue when it moves here, so this retention has to be the longer one.
    this.deadLetterQueue = new Queue(this, 'DeadLetterQueue', {
      ...common,
      retentionPeriod: Duration.days(RETENTION_DAYS.deadLetterQueue),
    });
    Validations.of(this.deadLetterQueue).acknowledge({
      id: 'Serverless::Serverless-SQSRedrivePolicy',
      reason: 'This is the dead-letter queue: what is here waits for a person, and an alarm says so.',
    });
    this.queue = new Queue(this, 'Queue', {
      ...common,
      retentionPeriod: Duration.days(RETENTION_DAYS.queue),
      visibilityTimeout,
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount: MAX_RECEIVE_COUNT },
    });
  }
}
