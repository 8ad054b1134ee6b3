import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { SQSBatchItemFailure } from 'aws-lambda';
import type { Counters, Log } from '../telemetry.ts';
import { type BatchMessage, receiveCount } from './batch-message.ts';
import { isolateSuspects } from './isolate.ts';
import { retryAfter } from './retry-policy.ts';

export interface BatchDependencies {
  /** Hides a received message for so many seconds from now; 0 shows it again at once. */
  changeVisibility: (message: BatchMessage, seconds: number) => Promise<unknown>;
  /** Milliseconds since 1970. */
  now: () => number;
  logger: Log;
  metrics: Counters;
}

/** What is done with one message. Each may reject. */
export interface MessageActions<T> {
  /** Resolves once nothing is left to do for the message. */
  record: (message: BatchMessage) => Promise<T>;
  /** Moves a message that failed too often to the dead-letter queue. */
  giveUp: (message: BatchMessage) => Promise<unknown>;
}

/** What became of a batch: what was recorded, and the failures in the terms of Lambda's batch response. */
export interface ProcessedBatch<T> {
  recorded: T[];
  failures: SQSBatchItemFailure[];
}

/** Records each message of a batch by itself; one that fails is retried by itself, later each time. */
export function batchProcessor<T>(
  { changeVisibility, now, logger, metrics }: BatchDependencies,
  { record, giveUp }: MessageActions<T>,
) {
  async function attempt(message: BatchMessage): Promise<ProcessedBatch<T>> {
    try {
      return { recorded: [await record(message)], failures: [] };
    } catch (error) {
      metrics.addMetric('RecordsFailed', MetricUnit.Count, 1);
      return { recorded: [], failures: await retry(message, error) };
    }
  }

  async function retry(message: BatchMessage, error: unknown): Promise<SQSBatchItemFailure[]> {
    const { messageId } = message;
    const receives = receiveCount(message);
    try {
      const retrying = retryAfter(error, receives);
      if (retrying.outcome === 'give-up') {
        await giveUp(message);
        logger.warn('Not recorded after several attempts, moved to the dead-letter queue', {
          messageId,
          receives,
          error,
        });
        return [];
      }
      if (retrying.outcome === 'back-off') await changeVisibility(message, retrying.seconds);
    } catch {
      // What SQS does not do either is left to the queue's own visibility timeout and redrive policy.
    }
    logger.warn('Not recorded; the queue will deliver it again', { messageId, receives, error });
    return [{ itemIdentifier: messageId }];
  }

  /** Shows messages again at once. One that cannot be shown reappears after the visibility timeout. */
  async function release(messages: readonly BatchMessage[]): Promise<SQSBatchItemFailure[]> {
    await Promise.allSettled(messages.map((message) => changeVisibility(message, 0)));
    return messages.map(({ messageId }) => ({ itemIdentifier: messageId }));
  }

  return async (messages: readonly BatchMessage[]): Promise<ProcessedBatch<T>> => {
    const { attempted, released } = isolateSuspects(messages, now());
    // Before anything is attempted: a function that is killed releases nothing.
    const failures = await release(released);
    const attempts = await Promise.all(attempted.map(attempt));
    return {
      recorded: attempts.flatMap(({ recorded }) => recorded),
      failures: [...failures, ...attempts.flatMap((each) => each.failures)],
    };
  };
}
