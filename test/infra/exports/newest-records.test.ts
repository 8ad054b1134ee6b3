import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newRecord, receivedSummary } from '../../../functions/vss/record.ts';
import { trino } from '../../../infra/analytics/dialect.ts';
import { DUCKDB_TYPES, itemType, STORED_ITEM } from '../../../infra/analytics/stored-record.ts';
import { newestRecords } from '../../../infra/exports/exported-records.ts';
import { athenaViews } from '../../../infra/exports/glue-tables.ts';
import { summaryBody, summaryOf } from '../../functions/summaries.ts';
import { addIncrement, ask, type Change, exportOf, newFolder } from '../analytics/exported.ts';

/**
 * Runs the SQL that selects the newest records in Athena, on files as DynamoDB writes them. DuckDB executes it, with
 * tables over the files like those in Glue and with macros for the functions that it names differently.
 */

const DAY = 86_400_000;
const HOUR = 3_600_000;
const FULL_EXPORT_DAYS = 7;

/** The time of the export of a day, 0 being today. */
const TODAY = Math.floor(Date.now() / HOUR) * HOUR;
const time = (day: number) => new Date(TODAY + day * DAY).toISOString();
/** In the prefix of an export. */
const hour = (day: number) => `${time(day).slice(0, 13)}Z`;

const session = (sessionId: string, sessionStatus: string) =>
  newRecord(
    receivedSummary(summaryOf(summaryBody({ sessionId, sessionStatus })), '2026-11-20T10:00:00.000Z'),
  );

interface Item {
  sessionId: string;
  sessionStatus?: string | undefined;
  erasedAt?: string;
}

const itemOf = (sessionId: string, status: string): Item =>
  status === 'erased' ? { sessionId, erasedAt: '2026-11-21T00:00:00.000Z' } : session(sessionId, status);

async function addFull(bucket: string, day: number, records: readonly object[]): Promise<void> {
  const folder = join(bucket, hour(day));
  mkdirSync(folder, { recursive: true });
  await exportOf(records, { folder, time: time(day) });
}

/** Adds the changes from one day to another, and returns the folder of their export. */
function addChanges(bucket: string, from: number, to: number, changes: readonly Change[]): string {
  const folder = join(bucket, 'changes', hour(to), `since-${hour(from)}`);
  addIncrement(folder, time(from), time(to), changes);
  return join(folder, 'AWSDynamoDB');
}

/** Runs queries as Athena would. */
async function athena<const Q extends readonly string[]>(bucket: string, ...queries: Q) {
  const item = itemType(STORED_ITEM, DUCKDB_TYPES);
  const manifest = "itemCount: 'BIGINT', dataFileS3Key: 'VARCHAR'";
  const filesIn = (isChange: boolean) =>
    readdirSync(bucket, { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.json(\.gz)?$/.test(path) && path.startsWith('changes/') === isChange)
      .map((path) => `'${join(bucket, path)}'`);
  const table = (name: string, isChange: boolean, columns: string) => {
    const files = filesIn(isChange).join(', ') || `'${join(bucket, '..', 'none.json')}'`;
    return `CREATE VIEW ${name} AS SELECT *, filename AS "$path",
      regexp_extract(filename, '/([^/]+Z)/(since-[^/]+/)?AWSDynamoDB/', 1) AS export_time
    FROM read_json([${files}], format = 'newline_delimited', filename = true, columns = {${columns}, ${manifest}})`;
  };
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  for (const statement of [
    "SET TimeZone = 'UTC'",
    'CREATE MACRO date_format(value, format) AS strftime(value, format)',
    'CREATE MACRO at_timezone(value, zone) AS timezone(zone, value)',
    'CREATE MACRO from_unixtime(seconds) AS to_timestamp(seconds)',
    'CREATE MACRO to_unixtime(value) AS epoch(value)',
    'CREATE MACRO from_iso8601_timestamp(text) AS CAST(text AS timestamptz)',
    'CREATE MACRO max_by(value, measure) AS arg_max_null(value, measure)',
    table('export_files', false, `Item: '${item}'`),
    table(
      'change_files',
      true,
      `Keys: 'STRUCT(sessionId STRUCT(S VARCHAR))', Metadata: 'STRUCT(WriteTimestampMicros STRUCT(N VARCHAR))', NewImage: '${item}'`,
    ),
    ...athenaViews(FULL_EXPORT_DAYS, trino('UTC'), false)
      .filter(({ name }) => ['exports', 'session_changes'].includes(name))
      .map(({ name, sql }) => `CREATE VIEW ${name} AS ${sql}`),
  ])
    await connection.run(statement);
  const results = [];
  for (const sql of queries) results.push((await connection.runAndReadAll(sql)).getRowObjectsJson());
  connection.closeSync();
  instance.closeSync();
  return results;
}

const NEWEST = `SELECT item.sessionId.S AS session_id, item.sessionStatus.S AS session_status
FROM ${newestRecords(FULL_EXPORT_DAYS + 2)} ORDER BY ALL`;
const CHANGED = 'SELECT session_id, old_status, new_status FROM session_changes';
const newestIn = async (bucket: string) => (await athena(bucket, NEWEST))[0];

describe('the newest records in Athena', () => {
  it('are those of the newest full export without incremental ones', async () => {
    const bucket = newFolder();
    await addFull(bucket, -7, [session('a', 'FAILED')]);
    await addFull(bucket, 0, [session('a', 'BUSY'), session('b', 'BUSY')]);
    addChanges(bucket, -1, 0, [{ sessionId: 'a', written: 1 }]);

    expect(await newestIn(bucket)).toEqual([
      { session_id: 'a', session_status: 'BUSY' },
      { session_id: 'b', session_status: 'BUSY' },
    ]);
  });

  it('ignore exports without a manifest, and data files that no manifest lists', async () => {
    const bucket = newFolder();
    await addFull(bucket, -2, [session('a', 'COMPLETED')]);
    await addFull(bucket, -1, []);
    const [unfinished = ''] = readdirSync(join(bucket, hour(-1), 'AWSDynamoDB'));
    rmSync(join(bucket, hour(-1), 'AWSDynamoDB', unfinished, 'manifest-files.json'));
    const failed = addChanges(bucket, -2, -1, [{ sessionId: 'a', written: 1 }]);
    const [id = ''] = readdirSync(failed).filter((name) => name !== 'data');
    rmSync(join(failed, id), { recursive: true });

    expect(existsSync(join(failed, 'data'))).toBe(true);
    expect(await newestIn(bucket)).toEqual([{ session_id: 'a', session_status: 'COMPLETED' }]);
  });

  it('are the state of the table, whatever changed, and equal those in DuckDB', async () => {
    const operation = fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd'),
      status: fc.option(fc.constantFrom('COMPLETED', 'FAILED', 'BUSY', 'erased'), { nil: undefined }),
    });
    const days = fc.array(fc.array(operation, { maxLength: 6, size: 'max' }), { minLength: 3, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(days, fc.integer({ min: 0, max: 5 }), async (daily, fullDay) => {
        const table = new Map<string, Item>([['a', session('a', 'COMPLETED')]]);
        const bucket = newFolder();
        await addFull(bucket, -daily.length, [...table.values()]);
        const changes: { session_id: string; old_status: string; new_status: string }[] = [];
        const shown = new Map([['a', 'COMPLETED']]);
        for (const [i, operations] of daily.entries()) {
          const day = i - daily.length;
          let written = (TODAY + day * DAY) * 1_000;
          const images = new Map<string, Change>();
          const last = new Map<string, string>();
          for (const { id, status } of operations) {
            const newImage = status === undefined ? undefined : itemOf(id, status);
            if (newImage) table.set(id, newImage);
            else table.delete(id);
            if (status === undefined || status === 'erased') last.delete(id);
            else last.set(id, status);
            images.set(id, { sessionId: id, written: ++written, ...(newImage && { newImage }) });
          }
          for (const [id, new_status] of last) {
            const old_status = shown.get(id) ?? new_status;
            if (old_status !== new_status) changes.push({ session_id: id, old_status, new_status });
            shown.set(id, new_status);
          }
          addChanges(bucket, day, day + 1, [...images.values()]);
          if (i === fullDay) await addFull(bucket, day + 1, [...table.values()]);
        }

        const expected = [...table.values()]
          .filter(({ erasedAt }) => erasedAt === undefined)
          .map(({ sessionId, sessionStatus }) => ({ session_id: sessionId, session_status: sessionStatus }))
          .toSorted((a, b) => (a.session_id < b.session_id ? -1 : 1));
        const [newest, changed, exports] = await athena(
          bucket,
          NEWEST,
          CHANGED,
          'SELECT export_time, export_type, changes_since, gap_before FROM exports ORDER BY ALL',
        );
        expect(newest).toEqual(expected);
        const inDuckDb = await ask(bucket, {
          sessions: 'SELECT session_id, session_status FROM sessions ORDER BY ALL',
          changed: CHANGED,
          exports: `SELECT export_time, export_type, changes_since, gap_before FROM exports
            WHERE item_count > 0 OR export_type = 'full' ORDER BY ALL`,
        });
        expect(inDuckDb.rows('sessions')).toEqual(expected);
        const order = ({ session_id, old_status, new_status }: Record<string, unknown>) =>
          `${session_id} ${old_status} ${new_status}`;
        const sorted = (rows: readonly Record<string, unknown>[] = []) => rows.map(order).toSorted();
        expect(sorted(changed)).toEqual(sorted(changes));
        expect(sorted(inDuckDb.rows('changed'))).toEqual(sorted(changes));
        expect(inDuckDb.rows('exports').filter(({ gap_before: gap }) => gap)).toEqual([]);
        expect(exports?.length).toBeGreaterThanOrEqual(inDuckDb.rows('exports').length);
      }),
      { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 4) },
    );
  });
});
