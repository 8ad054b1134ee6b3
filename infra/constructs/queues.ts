import { Duration, Size, Validations } from 'aws-cdk-lib';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { Queue, QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Encryption } from './encryption.ts';

/** Receives after which SQS moves a message to the dead-letter queue. The 19 back-offs between them take 14 hours. */
export const MAX_RECEIVE_COUNT = 20;

/** Message retention of the two queues, in days. */
export const RETENTION_DAYS = { queue: 10, deadLetterQueue: 14 } as const;

/** The encryption of a queue, with the given key or one of AWS, at rest and in transit. */
export function queueSecurity(dataKey: Key | undefined): QueueProps {
  return {
    ...(dataKey
      ? {
          encryption: QueueEncryption.KMS,
          encryptionMasterKey: dataKey,
          // The default is five minutes. An hour means fewer requests to KMS.
          dataKeyReuse: Duration.hours(1),
        }
      : { encryption: QueueEncryption.SQS_MANAGED }),
    enforceSSL: true,
  };
}

export interface QueuesProps {
  encryption: Encryption;
  visibilityTimeout: Duration;
}

/** The queue of deliveries to record, and the dead-letter queue. */
export class Queues extends Construct {
  readonly queue: Queue;
  readonly deadLetterQueue: Queue;

  constructor(scope: Construct, id: string, { encryption: { dataKey }, visibilityTimeout }: QueuesProps) {
    super(scope, id);
    // 1 MiB is the maximum of SQS. A body of 256 KiB fits even if it has to be encoded.
    const common = { ...queueSecurity(dataKey), maxMessageSizeBytes: Size.mebibytes(1).toBytes() };

    // A message keeps its timestamp when SQS moves it here, so this retention has to be longer than the queue's.
    this.deadLetterQueue = new Queue(this, 'DeadLetterQueue', {
      ...common,
      retentionPeriod: Duration.days(RETENTION_DAYS.deadLetterQueue),
    });
    Validations.of(this.deadLetterQueue).acknowledge({
      id: 'Serverless::Serverless-SQSRedrivePolicy',
      reason: 'This is the dead-letter queue. Its messages wait for an operator, whom an alarm notifies.',
    });
    this.queue = new Queue(this, 'Queue', {
      ...common,
      retentionPeriod: Duration.days(RETENTION_DAYS.queue),
      visibilityTimeout,
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount: MAX_RECEIVE_COUNT },
    });
  }
}
