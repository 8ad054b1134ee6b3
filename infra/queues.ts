import { Duration, Size } from 'aws-cdk-lib';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { recorderTimes } from './recorder.ts';

/** The queue of deliveries to be recorded, and the one of those that could not be. */
export class Queues extends Construct {
  readonly queue: Queue;
  readonly deadLetterQueue: Queue;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    // A body of 256 KiB fits a message of 1 MiB even when it has to be encoded; 1 MiB is the most that SQS takes.
    const common = {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      maxMessageSizeBytes: Size.mebibytes(1).toBytes(),
    };

    // A message keeps the age it had in the queue when it moves here, so this retention has to be the longer one.
    this.deadLetterQueue = new Queue(this, 'DeadLetterQueue', {
      ...common,
      retentionPeriod: Duration.days(14),
    });
    this.queue = new Queue(this, 'Queue', {
      ...common,
      retentionPeriod: Duration.days(4),
      visibilityTimeout: recorderTimes.visibilityTimeout,
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount: 5 },
    });
  }
}
