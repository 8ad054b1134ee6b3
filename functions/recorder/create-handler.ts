import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { SQSBatchItemFailure, SQSBatchResponse } from 'aws-lambda';
import {
  type DeadLetterReason,
  type Delivery,
  fromMessage,
  type Message,
  type ReceivedMessage,
  toMessage,
} from '../queue/message.ts';
import type { Counters, Log } from '../telemetry.ts';
import { receivedSummary } from '../vss/record.ts';
import { readSummary } from '../vss/summary.ts';
import { recordSession } from './record-session.ts';
import { RecordTooLargeError, type SessionTable } from './session-table.ts';

interface Dependencies {
  table: SessionTable;
  /** Resolves once the dead-letter queue has acknowledged the message. */
  sendToDeadLetters: (message: Message) => Promise<unknown>;
  logger: Log;
  metrics: Counters;
}

/** SQS → DynamoDB. Every message stands for itself: what fails is reported alone, and retried alone. */
export function createHandler({ table, sendToDeadLetters, logger, metrics }: Dependencies) {
  async function record(message: ReceivedMessage): Promise<void> {
    const delivery = fromMessage(message);
    const read = readSummary(delivery.body);
    if (read.outcome !== 'summary') {
      return quarantine(delivery, { reason: read.outcome, ...('issues' in read && { issues: read.issues }) });
    }

    const summary = receivedSummary(read.summary, delivery.receivedAt);
    const { sessionId, subAccountId, digest, unrecognised = {} } = summary;
    try {
      const recorded = await recordSession(table, summary);
      metrics.addMetric(METRICS[recorded], MetricUnit.Count, 1);
      if (recorded === 'duplicate') return;
      metrics.addMetric('UnrecognisedFields', MetricUnit.Count, Object.keys(unrecognised).length);
      if (recorded === 'conflict') {
        logger.warn('Another summary of a recorded session, kept beside it', {
          sessionId,
          subAccountId,
          digest,
        });
      }
    } catch (error) {
      if (!(error instanceof RecordTooLargeError)) throw error;
      await quarantine(delivery, { reason: 'record-too-large' }, { sessionId, subAccountId, digest });
    }
  }

  async function quarantine(delivery: Delivery, why: DeadLetterReason, known: object = {}): Promise<void> {
    await sendToDeadLetters(toMessage(delivery, why));
    const { requestId } = delivery;
    logger.warn('Not recordable, moved to the dead-letter queue', {
      requestId,
      reason: why.reason,
      ...known,
    });
    metrics.addMetric('DeadLettered', MetricUnit.Count, 1);
  }

  /** The message's failure, if it is one, in the terms of Lambda's partial batch response. */
  async function attempt(message: ReceivedMessage): Promise<SQSBatchItemFailure[]> {
    try {
      await record(message);
      return [];
    } catch (error) {
      const { messageId } = message;
      logger.error('Not recorded; the queue will try it again', { messageId, error });
      metrics.addMetric('RecordsFailed', MetricUnit.Count, 1);
      return [{ itemIdentifier: messageId }];
    }
  }

  return async ({ Records }: { Records: readonly ReceivedMessage[] }): Promise<SQSBatchResponse> => {
    const failures = await Promise.all(Records.map(attempt));
    metrics.publishStoredMetrics();
    return { batchItemFailures: failures.flat() };
  };
}

const METRICS = {
  recorded: 'SessionsRecorded',
  duplicate: 'DuplicateDeliveries',
  conflict: 'ConflictingSummaries',
} as const;
