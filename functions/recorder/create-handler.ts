import type { SQSBatchResponse } from 'aws-lambda';
import { loggableId } from '../loggable-id.ts';
import { type Delivery, fromMessage } from '../queue/message.ts';
import { canonicalJson } from '../vss/json.ts';
import { type ReceivedSummary, receivedSummary, type StoredSummary } from '../vss/record.ts';
import { readSummary } from '../vss/summary.ts';
import type { BatchMessage } from './batch-message.ts';
import { countRecordings, type Recording } from './count-recordings.ts';
import { type DeadLetterDependencies, deadLetters } from './dead-letters.ts';
import { type BatchDependencies, batchProcessor } from './process-batch.ts';
import { type EventOf, recordSession } from './record-session.ts';
import { RecordTooLargeError, type SessionTable } from './session-table.ts';

interface Dependencies extends BatchDependencies, DeadLetterDependencies {
  table: SessionTable;
  /** The event that is stored with a write. Default: no events. */
  eventOf?: EventOf | undefined;
}

/** SQS → DynamoDB. Messages are independent: only those that fail are reported and retried. */
export function createHandler(dependencies: Dependencies) {
  const { table, eventOf, now, logger, metrics } = dependencies;
  const { move, quarantine } = deadLetters(dependencies);
  const processBatch = batchProcessor(dependencies, {
    record,
    giveUp: async (message) => move(fromMessage(message), { reason: 'recording-failed' }),
  });

  /** Records a delivery; undefined if it became a dead letter. */
  async function record(message: BatchMessage): Promise<Recording | undefined> {
    const delivery = fromMessage(message);
    const read = readSummary(delivery.body);
    if (read.outcome === 'summary')
      return recordSummary(
        receivedSummary(read.summary, delivery.receivedAt, delivery.reconstructedFrom),
        delivery,
      );
    await quarantine(delivery, { reason: read.outcome, ...('issues' in read && { issues: read.issues }) });
    return undefined;
  }

  async function recordSummary(summary: ReceivedSummary, delivery: Delivery): Promise<Recording | undefined> {
    const quarantineBody = (body: Delivery['body']) =>
      quarantine({ ...delivery, body }, { reason: 'record-too-large' }, idsOf(summary));
    try {
      const keepElsewhere = (alternates: readonly StoredSummary[]) =>
        Promise.all(alternates.map((alternate) => quarantineBody(canonicalJson(alternate))));
      const outcome = await recordSession({ table, eventOf, keepElsewhere }, summary);
      if (outcome === 'conflict') logger.warn('Recorded a conflicting summary of a session', idsOf(summary));
      return { outcome, summary, lag: now() - Date.parse(summary.receivedAt) };
    } catch (error) {
      if (!(error instanceof RecordTooLargeError)) throw error;
      await quarantineBody(delivery.body);
      return undefined;
    }
  }

  return async ({ Records }: { Records: readonly BatchMessage[] }): Promise<SQSBatchResponse> => {
    const { recorded, failures } = await processBatch(Records);
    countRecordings(
      metrics,
      recorded.filter((recording) => recording !== undefined),
    );
    metrics.publishStoredMetrics();
    return { batchItemFailures: failures };
  };
}

/** The ids of a summary, for the log. */
function idsOf({ sessionId, subAccountId, digest }: ReceivedSummary) {
  return { sessionId: loggableId(sessionId), subAccountId: loggableId(subAccountId), digest };
}
