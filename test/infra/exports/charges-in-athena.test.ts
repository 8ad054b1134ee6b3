import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHARGE_FIELDS, type ChargeField } from '../../../infra/analytics/charges/charge-fields.ts';
import { trino } from '../../../infra/analytics/dialect.ts';
import { athenaViews, chargeTable } from '../../../infra/exports/glue-tables.ts';
import { chargeRow, writeCharges } from '../analytics/charged.ts';
import { ask, exportOf } from '../analytics/exported.ts';

/**
 * The charges that Athena shows equal those in DuckDB. DuckDB runs Athena's SQL, with a table over the files like that in
 * Glue and with macros for the functions that it names differently.
 */

async function athena(folder: string, sql: string) {
  const view = athenaViews(7, trino('UTC'), true).find(({ name }) => name === 'call_charges');
  const columns = CHARGE_FIELDS.map((name) => `${name}: 'VARCHAR'`).join(', ');
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  for (const statement of [
    "SET TimeZone = 'UTC'",
    'CREATE MACRO regexp_like(value, pattern) AS regexp_matches(value, pattern)',
    `CREATE VIEW charge_files AS SELECT * EXCLUDE (filename), filename AS "$path"
    FROM read_json('${folder}/charges/*/*.json.gz', format = 'newline_delimited', filename = true, columns = {${columns}})`,
    `CREATE VIEW call_charges AS ${view?.sql}`,
  ])
    await connection.run(statement);
  const rows = (await connection.runAndReadAll(sql)).getRowObjectsJson();
  connection.closeSync();
  instance.closeSync();
  return rows;
}

const number = fc.constantFrom(
  '0',
  '0.012',
  '-3',
  '1E-05',
  '1000000000000',
  '0.1234567890125',
  'x',
  '',
  '93',
  '4.3',
  '604801',
);
const time = fc.constantFrom(
  '2026-11-24T08:29:06.000Z',
  '2026-11-24T23:59:59.999Z',
  '2026-11-25T00:00:00Z',
  'yesterday',
);
const OTHER: Partial<Record<ChargeField, fc.Arbitrary<string>>> = {
  SessionId: fc.constantFrom('a', 'b'),
  CallId: fc.constantFrom('1', '2', '3'),
  InitiatedAt: time,
  ConnectedAt: time,
  UnitPriceCurrency: fc.constantFrom('USD', 'usd', 'EUR', ''),
  SipStatus: fc.constantFrom('200', '486', '99', '700', '2000', 'Busy'),
  DisconnectedAt: time,
};
/** The columns by which rows of the same leg are ranked decide between them, so the others follow from those. */
const row = fc
  .record(OTHER, { requiredKeys: ['SessionId', 'CallId'] })
  .chain((ranked) =>
    fc.record({ TotalPriceOfCall: number }, { requiredKeys: [] }).map((price) => ({ ...ranked, ...price })),
  );

describe('the charges in Athena', () => {
  it('equal those in DuckDB, whatever the files contain', async () => {
    const files = fc.uniqueArray(
      fc.record({
        day: fc.constantFrom('2026-11-24', '2026-11-25', '2026-11-26'),
        subAccountId: fc.constantFrom('a', 'b&c'),
        rows: fc.uniqueArray(row, {
          maxLength: 8,
          size: 'max',
          selector: ({ SessionId, CallId }) => `${SessionId}${CallId}`,
        }),
      }),
      { minLength: 2, selector: ({ day }) => day },
    );
    await fc.assert(
      fc.asyncProperty(files, async (written) => {
        const folder = await exportOf([]);
        for (const file of written) {
          const rows = file.rows.map(({ SessionId = '', CallId = '', ...other }) =>
            chargeRow(SessionId, CallId, other),
          );
          writeCharges(folder, { ...file, rows });
        }
        const sql = `SELECT * REPLACE (epoch_ms(initiated_timestamp) AS initiated_timestamp,
          epoch_ms(connected_timestamp) AS connected_timestamp, epoch_ms(disconnected_timestamp) AS disconnected_timestamp)
          FROM call_charges ORDER BY ALL`;
        const inDuckDb = await ask(folder, { sql });
        expect(await athena(folder, sql)).toEqual(inDuckDb.rows('sql'));
      }),
      { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 4) },
    );
  });

  it('are in a table that reads every file under the prefix, with case-sensitive names', () => {
    const { name, partitionKeys, storageDescriptor, parameters } = chargeTable('s3://bucket/charges/');

    expect({ name, partitionKeys, parameters }).toEqual({
      name: 'charge_files',
      partitionKeys: [],
      parameters: { EXTERNAL: 'TRUE', classification: 'json', compressionType: 'gzip' },
    });
    expect(storageDescriptor).toMatchObject({
      location: 's3://bucket/charges/',
      columns: CHARGE_FIELDS.map((field) => ({ name: field.toLowerCase(), type: 'string' })),
      serdeInfo: {
        serializationLibrary: 'org.openx.data.jsonserde.JsonSerDe',
        parameters: {
          'case.insensitive': 'FALSE',
          'ignore.malformed.json': 'TRUE',
          ...Object.fromEntries(CHARGE_FIELDS.map((field) => [`mapping.${field.toLowerCase()}`, field])),
        },
      },
    });
  });

  it('do not exist without reconciliation', () => {
    const names = athenaViews(7, trino('UTC'), false).map(({ name }) => name);

    expect(names).toContain('call_legs');
    expect(names.filter((name) => name.includes('charge'))).toEqual([]);
  });
});
