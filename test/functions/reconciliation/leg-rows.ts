import type { LegRow } from '../../../functions/log-export/leg-row.ts';

let rows = 0;

/** A row of the log export: an outbound leg of ten seconds on 24 November 2026. */
export function legRow(columns: Partial<LegRow> = {}, without: readonly (keyof LegRow)[] = []): LegRow {
  const row: LegRow = {
    SessionId: 'session',
    CallId: `call-${++rows}`,
    SubAccountId: 'acme',
    Direction: 'OUTBOUND',
    SourceEndpoint: '+6500000001',
    DestinationEndpoint: '+6500000002',
    InitiatedAt: '2026-11-24T08:00:00.000Z',
    ConnectedAt: '2026-11-24T08:00:05.000Z',
    DisconnectedAt: '2026-11-24T08:00:15.000Z',
    DurationInSec: '10',
    CallType: 'PSTN',
    SessionStatus: 'COMPLETED',
    CallStatus: 'COMPLETED',
    ...columns,
  };
  for (const column of without) Reflect.deleteProperty(row, column);
  return row;
}

/** The same rows as a file of the log export. */
export function csvOf(rows: readonly LegRow[]): string {
  const required = ['SessionId', 'CallId', 'SubAccountId', 'InitiatedAt', 'ConnectedAt', 'DisconnectedAt'];
  const columns = [...new Set([...required, 'SessionStatus', ...rows.flatMap(Object.keys)])];
  const cell = (value = '') => `"${value.replaceAll('"', '""')}"`;
  const lines = rows.map((row) => {
    const values: Readonly<Record<string, string>> = row;
    return columns.map((column) => cell(values[column])).join(',');
  });
  return `${[columns.join(','), ...lines].join('\n')}\n`;
}
