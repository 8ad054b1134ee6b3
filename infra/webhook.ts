import { Duration } from 'aws-cdk-lib';
import type { Key } from 'aws-cdk-lib/aws-kms';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { NodeFunction } from './node-function.ts';
import { TIMEOUT_SECONDS } from './timeouts.ts';

export interface WebhookProps {
  subAccountIds: readonly string[];
  /** SHA-256 of the accepted Authorization values, comma-separated. */
  authorizationDigests: string;
  queue: Queue;
  deadLetterQueue: Queue;
  /** How many of it may run at a time; as many as the account allows, where it is not given. */
  concurrency: number | undefined;
  /** The key of the queues; AWS's own, where it is not given. */
  encryptionKey: Key | undefined;
}

/** The function that takes deliveries. */
export class Webhook extends Construct {
  readonly function: NodeFunction;

  constructor(scope: Construct, id: string, props: WebhookProps) {
    super(scope, id);
    this.function = new NodeFunction(this, 'Function', {
      folder: 'webhook',
      description: 'Puts Voice Session Summaries of 8x8 into the queue',
      timeout: Duration.seconds(TIMEOUT_SECONDS.webhook),
      ...(props.concurrency !== undefined && { reservedConcurrentExecutions: props.concurrency }),
      environment: {
        QUEUE_URL: props.queue.queueUrl,
        DEAD_LETTER_QUEUE_URL: props.deadLetterQueue.queueUrl,
        AUTHORIZATION_DIGESTS: props.authorizationDigests,
        SUB_ACCOUNT_IDS: props.subAccountIds.join(','),
      },
    });
    props.queue.grant(this.function, 'sqs:SendMessage');
    props.deadLetterQueue.grant(this.function, 'sqs:SendMessage');
    // What sending to an encrypted queue takes.
    props.encryptionKey?.grant(this.function, 'kms:GenerateDataKey', 'kms:Decrypt');
  }
}
