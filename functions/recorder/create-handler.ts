import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { SQSBatchResponse } from 'aws-lambda';
import { loggableId } from '../loggable-id.ts';
import { type Delivery, fromMessage } from '../queue/message.ts';
import { countBy } from '../telemetry.ts';
import { canonicalJson } from '../vss/json.ts';
import { STATUSES } from '../vss/payload.ts';
import { type ReceivedSummary, receivedSummary, type StoredSummary } from '../vss/record.ts';
import { isIncomplete, readSummary } from '../vss/summary.ts';
import type { BatchMessage } from './batch-message.ts';
import { type DeadLetterDependencies, deadLetters } from './dead-letters.ts';
import { type BatchDependencies, batchProcessor } from './process-batch.ts';
import { type EventOf, type Recorded, recordSession } from './record-session.ts';
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

  /** Records a delivery. Returns the status of its session if it is the first of the session. */
  async function record(message: BatchMessage): Promise<string | undefined> {
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

  async function recordSummary(summary: ReceivedSummary, delivery: Delivery): Promise<string | undefined> {
    const quarantineBody = (body: Delivery['body']) =>
      quarantine({ ...delivery, body }, { reason: 'record-too-large' }, idsOf(summary));
    try {
      const keepElsewhere = (alternates: readonly StoredSummary[]) =>
        Promise.all(alternates.map((alternate) => quarantineBody(canonicalJson(alternate))));
      const recorded = await recordSession({ table, eventOf, keepElsewhere }, summary);
      if (summary.reconstructedFrom === undefined) return count(recorded, summary, delivery);
      metrics.addMetric('ReconciledSessions', MetricUnit.Count, recorded === 'recorded' ? 1 : 0);
      return undefined;
    } catch (error) {
      if (!(error instanceof RecordTooLargeError)) throw error;
      await quarantineBody(delivery.body);
      return undefined;
    }
  }

  /** Counts a delivery. Returns the status of its session if it is the first of the session. */
  function count(recorded: Recorded, summary: ReceivedSummary, { receivedAt }: Delivery): string | undefined {
    const { sessionStatus = OTHER, unrecognised = {} } = summary;
    metrics.addMetric(METRICS[recorded], MetricUnit.Count, 1);
    if (recorded === 'duplicate') return undefined;
    metrics.addMetric('RecordingLag', MetricUnit.Milliseconds, now() - Date.parse(receivedAt));
    metrics.addMetric('UnrecognisedFields', MetricUnit.Count, Object.keys(unrecognised).length);
    if (recorded === 'conflict') logger.warn('Recorded a conflicting summary of a session', idsOf(summary));
    if (isIncomplete(summary)) metrics.addMetric('IncompleteSummaries', MetricUnit.Count, 1);
    return recorded === 'recorded' ? sessionStatus : undefined;
  }

  return async ({ Records }: { Records: readonly BatchMessage[] }): Promise<SQSBatchResponse> => {
    const { recorded, failures } = await processBatch(Records);
    const statuses = recorded.filter((status) => status !== undefined);
    const byStatus = Map.groupBy(statuses, (status) => (KNOWN_STATUSES.has(status) ? status : OTHER));
    for (const [status, { length }] of byStatus)
      countBy(metrics, 'SessionsRecorded', ['sessionStatus', status], length);
    metrics.publishStoredMetrics();
    return { batchItemFailures: failures };
  };
}

/** The ids of a summary, for the log. */
function idsOf({ sessionId, subAccountId, digest }: ReceivedSummary) {
  return { sessionId: loggableId(sessionId), subAccountId: loggableId(subAccountId), digest };
}

const METRICS = {
  recorded: 'SessionsRecorded',
  duplicate: 'DuplicateDeliveries',
  conflict: 'ConflictingSummaries',
} as const;

const OTHER = 'OTHER';

/** The statuses with a metric of their own: one for every delivered value would be unbounded. */
const KNOWN_STATUSES: ReadonlySet<string> = new Set(STATUSES);
