import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { type Counters, countBy } from '../telemetry.ts';
import { STATUSES } from '../vss/payload.ts';
import type { ReceivedSummary } from '../vss/record.ts';
import { isIncomplete } from '../vss/summary.ts';
import type { Recorded } from './record-session.ts';

/** What became of a summary, and the milliseconds from its receipt until then. */
export interface Recording {
  outcome: Recorded;
  summary: ReceivedSummary;
  lag: number;
}

/** Counts the recordings of a batch; those of reconstructions separately. */
export function countRecordings(metrics: Counters, recordings: readonly Recording[]): void {
  const add = (name: string, count: number) => metrics.addMetric(name, MetricUnit.Count, count);
  const newSessions: Recording[] = [];
  for (const recording of recordings) {
    const { outcome, summary, lag } = recording;
    if (summary.reconstructedFrom !== undefined) {
      add('ReconciledSessions', outcome === 'recorded' ? 1 : 0);
      continue;
    }
    add(METRICS[outcome], 1);
    if (outcome === 'duplicate' || outcome === 'erased') continue;
    if (outcome === 'recorded') newSessions.push(recording);
    metrics.addMetric('RecordingLag', MetricUnit.Milliseconds, lag);
    add('UnrecognisedFields', Object.keys(summary.unrecognised ?? {}).length);
    if (isIncomplete(summary)) add('IncompleteSummaries', 1);
  }
  for (const [status, { length }] of Map.groupBy(newSessions, statusOf))
    countBy(metrics, 'SessionsRecorded', ['sessionStatus', status], length);
}

const METRICS = {
  recorded: 'SessionsRecorded',
  duplicate: 'DuplicateDeliveries',
  conflict: 'ConflictingSummaries',
  erased: 'ErasedDeliveries',
} as const;

/** The status of a session as a dimension. Other statuses share one, because delivered values are unbounded. */
function statusOf({ summary: { sessionStatus = OTHER } }: Recording): string {
  return KNOWN_STATUSES.has(sessionStatus) ? sessionStatus : OTHER;
}

const OTHER = 'OTHER';
const KNOWN_STATUSES: ReadonlySet<string> = new Set(STATUSES);
