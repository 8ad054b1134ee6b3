import type { LegRow } from '../log-export/leg-row.ts';

/** Sessions with more legs are not reconstructed. 8x8 shows two; a summary may have 2,000 keys (functions/vss). */
export const MAX_LEGS = 100;

/**
 * Builds the summary of a session from its rows in the log export, as 8x8 would have delivered it. It lacks what the
 * export lacks: the action, the client's request id, the error, and the countries, which the export has as numbers and
 * names. The names of the legs are inferred from their order.
 *
 * @returns The body of the delivery; undefined if the session has too many legs.
 */
export function reconstruct(subAccountId: string, rows: readonly LegRow[]): string | undefined {
  const legs = legsOf(rows);
  const [first] = legs;
  if (first === undefined || legs.length > MAX_LEGS) return undefined;
  const payload = {
    sessionId: first.SessionId,
    subAccountId,
    sessionStatus: statusOf(legs),
    startTime: first.InitiatedAt,
    endTime: endOf(legs),
    callCount: legs.length,
    details: Object.fromEntries(legs.map((leg, i) => [legName(i), legDetails(leg)])),
  };
  return JSON.stringify({
    payload,
    namespace: 'VOICE',
    eventType: 'SESSION_SUMMARY',
    description: 'Summary of a completed call session',
  });
}

/** One row per leg, in the order of the legs: by start, inbound first. Of several rows of a leg, the last to end. */
function legsOf(rows: readonly LegRow[]): LegRow[] {
  const legs = new Map<string, LegRow>();
  for (const row of rows) {
    const known = legs.get(row.CallId);
    if (known === undefined || rankOf(row) > rankOf(known)) legs.set(row.CallId, row);
  }
  return [...legs.values()].toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
}

/** Equal only for equal rows. */
const rankOf = (row: LegRow) => `${legEnd(row)} ${JSON.stringify(Object.entries(row).sort())}`;

const orderOf = ({ InitiatedAt, Direction, CallId }: LegRow) =>
  `${InitiatedAt} ${Direction === 'INBOUND' ? 0 : 1} ${CallId}`;

/** When a leg ended: not before its start, which may be its only time. */
export function legEnd({ InitiatedAt, ConnectedAt, DisconnectedAt }: LegRow): string {
  const end = DisconnectedAt ?? ConnectedAt ?? InitiatedAt;
  return end > InitiatedAt ? end : InitiatedAt;
}

/** When a session ended. */
export function endOf(rows: readonly LegRow[]): string | undefined {
  return rows.map(legEnd).toSorted().at(-1);
}

/** The status of a session, which each of its rows has. If they differ, that of the leg that ended last. */
export function statusOf(rows: readonly LegRow[]): string | undefined {
  return rows
    .filter(({ SessionStatus }) => SessionStatus !== undefined)
    .toSorted((a, b) => (rankOf(a) < rankOf(b) ? -1 : 1))
    .at(-1)?.SessionStatus;
}

/** `callA` to `callZ`, then `callAA`, `callAB` and so on. */
function legName(index: number): string {
  const letter = String.fromCharCode('A'.charCodeAt(0) + (index % 26));
  return index < 26 ? `call${letter}` : `${legName(Math.floor(index / 26) - 1)}${letter}`;
}

function legDetails(row: LegRow) {
  return {
    callId: row.CallId,
    callDirection: row.Direction,
    callType: row.CallType,
    initiatedTimestamp: row.InitiatedAt,
    connectedTimestamp: row.ConnectedAt,
    disconnectedTimestamp: row.DisconnectedAt,
    source: row.SourceEndpoint,
    destination: row.DestinationEndpoint,
    callStatus: row.CallStatus,
    callDuration: row.DurationInSec,
    ...(row.MOS !== undefined && { callQuality: { mos: row.MOS } }),
  };
}
