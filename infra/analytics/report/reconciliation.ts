import type { DuckDBConnection } from '@duckdb/node-api';
import { DUCKDB } from '../dialect.ts';
import { conditionOf, type Scope } from './facts.ts';
import type { MakeCard } from './report.ts';
import { talliesOf, totalOf } from './tallies.ts';
import { counted, subAccountName } from './wording.ts';

const KINDS = ['reconstructed', 'not_recorded', 'not_exported'] as const;

const RECONSTRUCTED = `SELECT sub_account_id AS part, 'reconstructed' AS kind, count(*) AS count
FROM session_facts WHERE is_reconstructed GROUP BY 1`;

const NOT_RECORDED = `SELECT part, 'not_recorded' AS kind, count(*) AS count FROM (
  SELECT session_id, min(sub_account_id) AS part FROM charge_facts GROUP BY 1
) AS charged WHERE session_id NOT IN (SELECT session_id FROM recorded) GROUP BY 1`;

/** A leg may begin on the other side of midnight. The saved query `not-in-log-export` has the same condition. */
const NOT_EXPORTED = `SELECT sub_account_id AS part, 'not_exported' AS kind, count(*) AS count FROM recorded
WHERE is_in_scope AND NOT is_reconstructed AND session_id NOT IN (SELECT session_id FROM charges)
  AND (sub_account_id, day_before) IN (SELECT (sub_account_id, export_day) FROM charges)
  AND (sub_account_id, day_after) IN (SELECT (sub_account_id, export_day) FROM charges)
GROUP BY 1`;

/**
 * The differences between the records and 8x8's log export. Returns undefined if there is no log export, and no session
 * was reconstructed from one.
 */
export const reconciliation: MakeCard = async ({ connection, scope, charges }) => {
  // The charges of a country are those of its sessions, so no session is missing among them.
  if (scope.countries) return undefined;
  const differences = charges ? [NOT_RECORDED, NOT_EXPORTED] : [];
  if (charges) await readRecorded(connection, scope);
  const tallies = await talliesOf(connection, [RECONSTRUCTED, ...differences].join('\nUNION ALL\n'));
  if (!charges && tallies.length === 0) return undefined;
  const reconstructed = totalOf(tallies, 'reconstructed');
  const bySubAccount = Map.groupBy(tallies, ({ part }) => part);
  const rows = [...bySubAccount].map(([id, own]) => [
    subAccountName(id),
    ...KINDS.map((kind) => totalOf(own, kind)),
  ]);
  return {
    title: 'Reconciliation',
    sentence: `${counted(reconstructed, 'session')} ${reconstructed === 1 ? 'was' : 'were'} reconstructed from 8x8’s log export.${charges ? ` ${differencesText(totalOf(tallies, 'not_recorded'), totalOf(tallies, 'not_exported'))}` : ''}`,
    ...(rows.length > 0 && {
      figure: {
        table: {
          caption: 'Differences to the log export in sessions',
          columns: ['Sub-account', 'Reconstructed', 'Not recorded', 'Not in the log export'],
          rows,
        },
      },
    }),
  };
};

/** States the differences, and where to find them. */
function differencesText(notRecorded: number, notExported: number): string {
  const sentences = [
    notRecorded === 0
      ? 'Every session in the log export has a record.'
      : `${counted(notRecorded, 'session')} in the log export ${notRecorded === 1 ? 'has' : 'have'} no record.`,
    notExported === 0
      ? 'No delivered session is absent from it.'
      : `${counted(notExported, 'delivered session')} ${notExported === 1 ? 'is' : 'are'} absent from it.`,
    ...(notRecorded + notExported > 0
      ? ['The saved queries “not-recorded” and “not-in-log-export” list them.']
      : []),
  ];
  return sentences.join(' ');
}

/** Reads the ids of all sessions: one that the report does not cover is recorded nevertheless. */
async function readRecorded(connection: DuckDBConnection, scope: Scope): Promise<void> {
  const day = (sign: string) => DUCKDB.utcDate(`start_time ${sign} INTERVAL '1' MINUTE`);
  await connection.run(`CREATE TEMP TABLE recorded AS
SELECT session_id, sub_account_id, reconstructed_from IS NOT NULL AS is_reconstructed,
  ${day('-')} AS day_before, ${day('+')} AS day_after, coalesce(${conditionOf(scope)}, false) AS is_in_scope
FROM sessions`);
}
