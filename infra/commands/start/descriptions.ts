import * as v from 'valibot';
import type { Answer } from '../../local/api-gateway.ts';
import type { BusEvent } from '../../local/event-bus.ts';
import type { StoredRecord } from '../../local/examples.ts';
import { inOneLine } from '../../terminal/printable.ts';
import { textTable } from '../../terminal/text-table.ts';

const LogLine = v.pipe(v.string(), v.parseJson(), v.looseObject({ level: v.optional(v.string()) }));

/** Describes metrics of the recorder. It logs one line with the metrics of a whole batch. */
const DESCRIPTIONS = {
  DuplicateDeliveries: 'duplicate: the summary was already recorded',
  ErasedDeliveries: 'not recorded: the session was erased',
  ConflictingSummaries:
    'conflict: the session already has a different summary; the record shows the newer one and keeps both',
  IncompleteSummaries: 'incomplete: recorded, but its status, start or end is missing or unreadable',
};

/** Translates a log line for a person: keeps warnings and errors, describes metrics, and drops the rest. */
export function readableLogLine(line: string): string | undefined {
  const parsed = v.safeParse(LogLine, line);
  if (!parsed.success) return line;
  const { level, ...metrics } = parsed.output;
  if (level !== undefined) return level === 'INFO' || level === 'DEBUG' ? undefined : line;
  const lines = Object.entries(DESCRIPTIONS).flatMap(([metric, description]) =>
    metric in metrics ? [`  ${description}`] : [],
  );
  return lines.length > 0 ? lines.join('\n') : undefined;
}

const Problem = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    title: v.string(),
    type: v.string(),
    issues: v.optional(v.array(v.object({ path: v.string(), message: v.string() })), []),
  }),
);

/** Describes why a delivery was rejected, with one line per issue. */
export function rejection({ status, body }: Answer): string {
  const parsed = v.safeParse(Problem, body);
  if (!parsed.success) return `  rejected: ${status}`;
  const { title, type, issues } = parsed.output;
  return [
    `  rejected: ${status} ${type.split(':').at(-1)}, ${title}`,
    ...issues.map(({ path, message }) => `    ${inOneLine(`${path}: ${message}`)}`),
  ].join('\n');
}

const Detail = v.object({ sessionId: v.string(), sessionStatus: v.string(), retryCanHelp: v.boolean() });

/** Describes a session event. */
export function eventLine(event: BusEvent): string {
  const { sessionId, sessionStatus, retryCanHelp } = v.parse(Detail, event.detail);
  const retry = retryCanHelp ? ', a retry can help' : '';
  return inOneLine(`  event: ${event['detail-type']}, ${sessionId} ${sessionStatus || ABSENT}${retry}`);
}

/** Printed for an attribute that a record does not have. */
const ABSENT = '-';

/** The main attributes of records, one line per record. */
export function recordTable(records: readonly StoredRecord[]): string {
  return textTable([
    ['sessionId', 'subAccountId', 'sessionStatus', 'endTime', 'legs', 'reconstructedFrom'],
    ...records.map(({ sessionId, subAccountId, sessionStatus, endTime, legs, reconstructedFrom = '' }) => [
      sessionId,
      subAccountId,
      sessionStatus ?? ABSENT,
      endTime ?? ABSENT,
      String(legs.length),
      reconstructedFrom,
    ]),
  ]);
}
