import { Duration } from 'aws-cdk-lib';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Encryption } from './encryption.ts';
import { NodeFunction } from './node-function.ts';
import { TIMEOUT_SECONDS } from './timeouts.ts';

export interface WebhookProps {
  subAccountIds: readonly string[];
  /** SHA-256 digests of the accepted Authorization values, comma-separated. */
  authorizationDigests: string;
  queue: Queue;
  deadLetterQueue: Queue;
  /** Reserved concurrency; undefined for none. */
  concurrency: number | undefined;
  encryption: Encryption;
}

/** The function that receives deliveries and sends them to the queue. */
export class Webhook extends Construct {
  readonly function: NodeFunction;

  constructor(scope: Construct, id: string, props: WebhookProps) {
    super(scope, id);
    this.function = new NodeFunction(this, 'Function', {
      folder: 'webhook',
      description: 'Receives Voice Session Summaries from 8x8 and sends them to the queue',
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
    // Sending to an encrypted queue requires both permissions.
    props.encryption.key.grant(this.function, 'kms:GenerateDataKey', 'kms:Decrypt');
  }
}
