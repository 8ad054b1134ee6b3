import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { SQSBatchItemFailure, SQSBatchResponse } from 'aws-lambda';
import { loggableId } from '../loggable-id.ts';
import {
  type DeadLetterReason,
  type Delivery,
  fromMessage,
  type Message,
  type ReceivedMessage,
  toMessage,
} from '../queue/message.ts';
import type { Counters, Log } from '../telemetry.ts';
import { canonicalJson } from '../vss/json.ts';
import { STATUSES } from '../vss/payload.ts';
import { receivedSummary } from '../vss/record.ts';
import { isIncomplete, readSummary } from '../vss/summary.ts';
import { recordSession } from './record-session.ts';
import { RecordTooLargeError, type SessionTable } from './session-table.ts';

interface Dependencies {
  table: SessionTable;
  /** Resolves once the dead-letter queue has acknowledged the message. */
  sendToDeadLetters: (message: Message) => Promise<unknown>;
  /** Milliseconds since 1970. */
  now: () => number;
  logger: Log;
  metrics: Counters;
}

/** SQS → DynamoDB. Every message stands for itself: what fails is reported alone, and retried alone. */
export function createHandler({ table, sendToDeadLetters, now, logger, metrics }: Dependencies) {
  /** Records a delivery. Returns the status of its session, if that is a new one. */
  async function record(message: ReceivedMessage): Promise<string | undefined> {
    const delivery = fromMessage(message);
    const read = readSummary(delivery.body);
    if (read.outcome !== 'summary') {
      await quarantine(delivery, { reason: read.outcome, ...('issues' in read && { issues: read.issues }) });
      return undefined;
    }

    const summary = receivedSummary(read.summary, delivery.receivedAt);
    const { sessionId, subAccountId, digest, unrecognised = {} } = summary;
    const known = { sessionId: loggableId(sessionId), subAccountId: loggableId(subAccountId), digest };
    try {
      const recorded = await recordSession(table, summary, (alternates) =>
        Promise.all(
          alternates.map((alternate) =>
            quarantine(
              { ...delivery, body: canonicalJson(alternate) },
              { reason: 'record-too-large' },
              known,
            ),
          ),
        ),
      );
      metrics.addMetric(METRICS[recorded], MetricUnit.Count, 1);
      if (recorded === 'duplicate') return undefined;
      metrics.addMetric('RecordingLag', MetricUnit.Milliseconds, now() - Date.parse(delivery.receivedAt));
      metrics.addMetric('UnrecognisedFields', MetricUnit.Count, Object.keys(unrecognised).length);
      if (recorded === 'conflict') {
        logger.warn('Another summary of a recorded session, kept beside it', known);
      }
      if (isIncomplete(summary)) metrics.addMetric('IncompleteSummaries', MetricUnit.Count, 1);
      return recorded === 'recorded' ? (summary.sessionStatus ?? OTHER) : undefined;
    } catch (error) {
      if (!(error instanceof RecordTooLargeError)) throw error;
      await quarantine(delivery, { reason: 'record-too-large' }, known);
      return undefined;
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
    countOf('DeadLettered', 'reason', why.reason, 1);
  }

  /** Counts by a dimension of its own. */
  function countOf(name: string, dimension: string, value: string, count: number): void {
    const metric = metrics.singleMetric();
    metric.addDimension(dimension, value);
    metric.addMetric(name, MetricUnit.Count, count);
  }

  /** What became of a message: the status of a new session, or a failure in the terms of Lambda's batch response. */
  async function attempt(
    message: ReceivedMessage,
  ): Promise<{ status?: string | undefined; failures: SQSBatchItemFailure[] }> {
    try {
      return { status: await record(message), failures: [] };
    } catch (error) {
      const { messageId } = message;
      logger.error('Not recorded; the queue will try it again', { messageId, error });
      metrics.addMetric('RecordsFailed', MetricUnit.Count, 1);
      return { failures: [{ itemIdentifier: messageId }] };
    }
  }

  return async ({ Records }: { Records: readonly ReceivedMessage[] }): Promise<SQSBatchResponse> => {
    const attempts = await Promise.all(Records.map(attempt));
    const statuses = attempts.flatMap(({ status }) => (status === undefined ? [] : [status]));
    for (const [status, same] of Map.groupBy(statuses, (known) =>
      KNOWN_STATUSES.has(known) ? known : OTHER,
    ))
      countOf('SessionsRecorded', 'sessionStatus', status, same.length);
    metrics.publishStoredMetrics();
    return { batchItemFailures: attempts.flatMap(({ failures }) => failures) };
  };
}

const METRICS = {
  recorded: 'SessionsRecorded',
  duplicate: 'DuplicateDeliveries',
  conflict: 'ConflictingSummaries',
} as const;

const OTHER = 'OTHER';

/** A metric for each value that somebody might send would have no end. */
const KNOWN_STATUSES: ReadonlySet<string> = new Set(STATUSES);
