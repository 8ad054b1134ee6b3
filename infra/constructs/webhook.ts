import { Duration } from 'aws-cdk-lib';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Encryption } from './encryption.ts';
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
  encryption: Encryption;
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
    // What sending to a queue takes that the key encrypts.
    props.encryption.key.grant(this.function, 'kms:GenerateDataKey', 'kms:Decrypt');
  }
}
