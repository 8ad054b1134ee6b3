import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { SQSBatchResponse } from 'aws-lambda';
import { loggableId } from '../loggable-id.ts';
import {
  type DeadLetterReason,
  type Delivery,
  fromMessage,
  type Message,
  toMessage,
} from '../queue/message.ts';
import { canonicalJson } from '../vss/json.ts';
import { STATUSES } from '../vss/payload.ts';
import { receivedSummary } from '../vss/record.ts';
import { isIncomplete, readSummary } from '../vss/summary.ts';
import type { BatchMessage } from './batch-message.ts';
import { type BatchDependencies, batchProcessor } from './process-batch.ts';
import { recordSession } from './record-session.ts';
import { RecordTooLargeError, type SessionTable } from './session-table.ts';

interface Dependencies extends BatchDependencies {
  table: SessionTable;
  /** Resolves once the dead-letter queue has acknowledged the message. */
  sendToDeadLetters: (message: Message) => Promise<unknown>;
}

/** SQS → DynamoDB. Every message stands for itself: what fails is reported alone, and retried alone. */
export function createHandler(dependencies: Dependencies) {
  const { table, sendToDeadLetters, now, logger, metrics } = dependencies;
  const processBatch = batchProcessor(dependencies, { record, giveUp });

  /** Records a delivery. Returns the status of its session, if that is a new one. */
  async function record(message: BatchMessage): Promise<string | undefined> {
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
    await moveToDeadLetters(delivery, why);
    const requestId = loggableId(delivery.requestId);
    logger.warn('Not recordable, moved to the dead-letter queue', {
      requestId,
      reason: why.reason,
      ...known,
    });
  }

  async function giveUp(message: BatchMessage): Promise<void> {
    await moveToDeadLetters(fromMessage(message), { reason: 'recording-failed' });
  }

  async function moveToDeadLetters(delivery: Delivery, why: DeadLetterReason): Promise<void> {
    await sendToDeadLetters(toMessage(delivery, why));
    metrics.addMetric('DeadLettered', MetricUnit.Count, 1);
    countOf('DeadLettered', 'reason', why.reason, 1);
  }

  /** Counts by a dimension of its own. */
  function countOf(name: string, dimension: string, value: string, count: number): void {
    const metric = metrics.singleMetric();
    metric.addDimension(dimension, value);
    metric.addMetric(name, MetricUnit.Count, count);
  }

  return async ({ Records }: { Records: readonly BatchMessage[] }): Promise<SQSBatchResponse> => {
    const { recorded, failures } = await processBatch(Records);
    const statuses = recorded.filter((status) => status !== undefined);
    for (const [status, same] of Map.groupBy(statuses, (known) =>
      KNOWN_STATUSES.has(known) ? known : OTHER,
    ))
      countOf('SessionsRecorded', 'sessionStatus', status, same.length);
    metrics.publishStoredMetrics();
    return { batchItemFailures: failures };
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
