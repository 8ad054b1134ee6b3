import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { SQSBatchItemFailure } from 'aws-lambda';
import type { Counters, Log } from '../telemetry.ts';
import { type BatchMessage, receiveCount } from './batch-message.ts';
import { isolateSuspects } from './isolate.ts';
import { retryAfter } from './retry-policy.ts';

export interface BatchDependencies {
  /** Hides a received message for a number of seconds from now; 0 makes it visible immediately. */
  changeVisibility: (message: BatchMessage, seconds: number) => Promise<unknown>;
  /** Milliseconds since 1970. */
  now: () => number;
  logger: Log;
  metrics: Counters;
}

/** The actions on a message. Each may reject. */
export interface MessageActions<T> {
  /** Resolves when the message can be deleted from the queue. */
  record: (message: BatchMessage) => Promise<T>;
  /** Moves a message that failed too often to the dead-letter queue. */
  giveUp: (message: BatchMessage) => Promise<unknown>;
}

/** The results of the recorded messages, and the failures for Lambda's partial batch response. */
export interface ProcessedBatch<T> {
  recorded: T[];
  failures: SQSBatchItemFailure[];
}

/** Records the messages of a batch independently of each other. Retries those that fail, as `retryAfter` decides. */
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
    const details = { messageId, receives: receiveCount(message), error };
    let queueError: unknown;
    try {
      const retrying = retryAfter(error, details.receives);
      if (retrying.outcome === 'give-up') {
        await giveUp(message);
        logger.warn('Recording failed too often; moved to the dead-letter queue', details);
        return [];
      }
      if (retrying.outcome === 'back-off') await changeVisibility(message, retrying.seconds);
    } catch (sqsError) {
      // The queue's visibility timeout and redrive policy apply.
      queueError = sqsError;
    }
    logger.warn('Recording failed; the queue will redeliver the message', { ...details, queueError });
    return [{ itemIdentifier: messageId }];
  }

  /** Makes messages visible immediately. If that fails, they become visible after the visibility timeout. */
  async function release(messages: readonly BatchMessage[]): Promise<SQSBatchItemFailure[]> {
    await Promise.allSettled(messages.map((message) => changeVisibility(message, 0)));
    return messages.map(({ messageId }) => ({ itemIdentifier: messageId }));
  }

  return async (messages: readonly BatchMessage[]): Promise<ProcessedBatch<T>> => {
    const { attempted, released } = isolateSuspects(messages, now());
    // Before any attempt, because an attempt may kill the function.
    const failures = await release(released);
    const attempts = await Promise.all(attempted.map(attempt));
    return {
      recorded: attempts.flatMap(({ recorded }) => recorded),
      failures: [...failures, ...attempts.flatMap((each) => each.failures)],
    };
  };
}
