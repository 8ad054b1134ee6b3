import { execFile } from 'node:child_process';
import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { buildApp } from 'fauxqs';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { merge, newRecord, receivedSummary, type SessionRecord } from '../../../functions/vss/record.ts';
import { SAVED_QUERIES } from '../../../infra/analytics/saved-queries.ts';
import { columnsOf } from '../../../infra/analytics/view.ts';
import { VIEWS } from '../../../infra/analytics/views.ts';
import { summaryBody, summaryOf } from '../../functions/summaries.ts';
import { ask, exportOf, newFolder, upload } from '../analytics/exported.ts';
import { root } from '../run.ts';
import { vssWebhook } from './vss-webhook.ts';

/** Runs `npx vss-webhook query`. */
const query = (args: readonly string[], env: NodeJS.ProcessEnv = process.env) =>
  vssWebhook(['query', ...args], { env });

const session = (payload: Readonly<Record<string, unknown>>): SessionRecord =>
  newRecord(receivedSummary(summaryOf(summaryBody(payload)), '2026-11-20T10:00:00.000Z'));

const Rows = v.array(v.record(v.string(), v.unknown()));

const records = [
  session({ sessionId: 'a', clientRequestId: 'a line\u001b[31m\r\nand "another", with a comma' }),
  session({ sessionId: 'b', sessionStatus: 'FAILED' }),
];

describe('npx vss-webhook query', () => {
  it('lists every view with its columns, and the saved queries, when it gets no SQL', async () => {
    const { stdout, code } = await query([await exportOf(records)]);

    expect(code).toBe(0);
    for (const view of VIEWS) {
      expect(stdout).toContain(`\n${view.name}: ${view.description}\n`);
      for (const { name } of columnsOf(view))
        expect(stdout).toMatch(new RegExp(`^  ${name} +\\w+ +\\S`, 'm'));
    }
    const lines = stdout.split('\n').map((line) => line.trim().replace(/ {2,}/, ': '));
    for (const { name, question } of SAVED_QUERIES) expect(lines).toContain(`${name}: ${question}`);
  });

  it('runs a saved query by name, and SQL with or without a semicolon', async () => {
    const folder = await exportOf(records);

    expect(await query([folder, 'outcomes-by-day'])).toMatchObject({
      code: 0,
      stdout:
        '  start_date  sessions  answered  unanswered  failed  opted_out  other\n' +
        '  2026-01-13  2         1         0           1       0          0\n',
      stderr: '1 row\n',
    });
    expect(await query([folder, 'SELECT count(*) AS n FROM sessions; '])).toMatchObject({
      stdout: '  n\n  2\n',
    });
  });

  it('shows all rows of a view by name, and prints the SQL of a saved query', async () => {
    const folder = await exportOf(records);

    expect((await query([folder, 'exports'])).stdout).toMatch(
      /^ {2}export_time +export_id +export_type +changes_since +item_count +gap_before\n/,
    );
    expect((await query([folder, 'errors', '--print-sql'])).stdout).toMatch(/^SELECT error_code/);
    expect((await query([folder, 'SELECT 1 AS n -- one', '--format', 'csv'])).stdout).toBe('n\n1\n');
  });

  it('prints each row on one line, and escapes control characters', async () => {
    const { stdout } = await query([
      await exportOf(records),
      'SELECT client_request_id FROM sessions ORDER BY ALL',
    ]);

    expect(stdout.split('\n')).toEqual([
      '  client_request_id',
      '  a line\\u001b[31m\\u000d\\u000aand "another", with a comma',
      '',
      '',
    ]);
  });

  it('writes CSV and JSON to standard output or a file, and Parquet to a file', async () => {
    const folder = await exportOf(records);
    const sql = 'SELECT session_id, start_time, revision FROM sessions ORDER BY session_id';
    const out = (name: string) => join(newFolder(), name);

    const csv =
      'session_id,start_time,revision\na,2026-01-13T08:26:58.000Z,1\nb,2026-01-13T08:26:58.000Z,1\n';
    expect(await query([folder, sql, '--format', 'csv'])).toMatchObject({ code: 0, stdout: csv });
    const csvFile = out('it.csv');
    await query([folder, sql, '--out', csvFile]);
    expect(readFileSync(csvFile, 'utf8')).toBe(csv);

    const json = [
      { session_id: 'a', start_time: '2026-01-13T08:26:58.000Z', revision: 1 },
      { session_id: 'b', start_time: '2026-01-13T08:26:58.000Z', revision: 1 },
    ];
    expect(JSON.parse((await query([folder, sql, '--format', 'json'])).stdout)).toEqual(json);
    const jsonFile = out('it.json');
    await query([folder, sql, '--out', jsonFile]);
    expect(JSON.parse(readFileSync(jsonFile, 'utf8'))).toEqual(json);

    const parquet = out("it's.parquet");
    expect(await query([folder, sql, '--format', 'parquet', '--out', parquet])).toMatchObject({
      code: 0,
      stderr: `Wrote ${parquet}\n`,
    });
    const { rows } = await ask(folder, { back: `FROM '${parquet.replace("'", "''")}'` });
    expect(rows('back')).toEqual(
      json.map((row) => ({ ...row, start_time: '2026-01-13 08:26:58+00', revision: '1' })),
    );
  });

  it('runs several statements, from the command line or a file, and shows the result of the last one', async () => {
    const folder = await exportOf(records);
    const sql = "CREATE TABLE t AS SELECT 'a;b' || $x$;$$;$x$ AS text; /* ; */ -- ;\nSELECT text FROM t;\n";
    const file = join(newFolder(), 'queries.sql');
    writeFileSync(file, sql);

    for (const args of [[sql], ['--file', file]])
      expect(await query([folder, ...args])).toMatchObject({ code: 0, stdout: '  text\n  a;b;$$;\n' });
  });

  it('reads and writes files relative to the current folder', async () => {
    const cwd = newFolder();
    await exportOf(records, { folder: join(cwd, 'exports') });
    writeFileSync(join(cwd, 'count.sql'), 'SELECT count(*) AS n FROM sessions');

    await vssWebhook(['query', 'exports', '--file', 'count.sql', '--out', 'count.csv'], { cwd });
    await vssWebhook(['query', 'exports', '--database', 'sessions.duckdb'], { cwd });

    expect(readFileSync(join(cwd, 'count.csv'), 'utf8')).toBe('n\n2\n');
    expect(existsSync(join(cwd, 'sessions.duckdb'))).toBe(true);
  });

  it('writes DESCRIBE, SUMMARIZE and SHOW in every format', async () => {
    const folder = await exportOf(records);

    expect((await query([folder, 'DESCRIBE sessions', '--format', 'csv'])).stdout).toMatch(
      /^column_name,column_type,.*\nsession_id,VARCHAR/,
    );
    expect(
      JSON.parse((await query([folder, 'SUMMARIZE call_legs', '--format', 'json'])).stdout),
    ).toContainEqual(expect.objectContaining({ column_name: 'mos' }));
    const { stdout, stderr } = await query([folder, 'SHOW TABLES', '--format', 'csv']);
    for (const name of ['sessions', 'sessions_history', 'exports', 'call_charges'])
      expect(stdout).toContain(`\n${name}\n`);
    expect(stderr).toBe('');
  });

  it('prints one line per value with --format vertical', async () => {
    const sql = "SELECT 'a' AS id, 'x\u001b[31m' AS some_text UNION ALL SELECT 'b', NULL ORDER BY 1";
    const { stdout } = await query([await exportOf(records), sql, '--format', 'vertical']);

    expect(stdout).toBe('  id         a\n  some_text  x\\u001b[31m\n\n  id         b\n  some_text\n');
  });

  it('writes times with their offset, and local times without one', async () => {
    const folder = await exportOf([session({ sessionId: 'a', startTime: '2026-01-12T20:30:00Z' })]);
    const sql = `SELECT start_time AS "the time", at_timezone(start_time, 'Asia/Tokyo') AS tokyo, start_time AS "the time" FROM sessions`;
    const zone = ['--format', 'csv', '--time-zone', 'Asia/Singapore'];

    expect((await query([folder, sql, '--format', 'csv'])).stdout).toBe(
      'the time,tokyo,the time_1\n2026-01-12T20:30:00.000Z,2026-01-13T05:30:00.000,2026-01-12T20:30:00.000Z\n',
    );
    expect((await query([folder, sql, ...zone])).stdout).toBe(
      'the time,tokyo,the time_1\n2026-01-13T04:30:00.000+08:00,2026-01-13T05:30:00.000,2026-01-13T04:30:00.000+08:00\n',
    );
  });

  it('keeps the order of the rows in a file', async () => {
    const [folder, file] = [await exportOf(records), join(newFolder(), 'ordered.csv')];
    const sql = 'SELECT range AS n, to_timestamp(range) AS time FROM range(300000) ORDER BY hash(range)';
    await query([folder, sql, '--out', file]);
    const written = readFileSync(file, 'utf8').trim().split('\n').slice(1);
    const { rows } = await ask(folder, {
      ordered: 'SELECT range::integer AS n FROM range(300000) ORDER BY hash(range)',
    });

    expect(written.map((line) => Number(line.split(',')[0]))).toEqual(rows('ordered').map(({ n }) => n));
  });

  it('runs a query that starts with comments in every format', async () => {
    const sql = '/* one; */ -- two\n/* three */ SELECT 1 AS n';

    expect((await query([await exportOf(records), sql, '--format', 'csv'])).stdout).toBe('n\n1\n');
  });

  it('names the columns of csv whose cells a spreadsheet would run, and guards them on request', async () => {
    const folder = await exportOf(records);
    const sql = `SELECT '+65' AS phone, '=1+1' AS "a, b", '65' AS fine, -1 AS number, NULL::varchar AS nothing`;

    const plain = await query([folder, sql, '--format', 'csv']);
    expect(plain.stdout).toBe('phone,"a, b",fine,number,nothing\n+65,=1+1,65,-1,\n');
    expect(plain.stderr).toContain(
      'Cells of phone, a, b begin with =, +, - or @, which spreadsheets may run',
    );
    const guarded = await query([folder, sql, '--format', 'csv', '--guard-formulas']);
    expect(guarded.stdout).toBe(`phone,"a, b",fine,number,nothing\n'+65,'=1+1,65,-1,\n`);
    expect(guarded.stderr).toBe('');
    expect((await query([folder, sql, '--format', 'json'])).stderr).toBe('');
  });

  it('keeps an existing database if it cannot write a new one', async () => {
    const [folder, database] = [await exportOf(records), join(newFolder(), 'sessions.duckdb')];
    await query([folder, '--database', database]);
    const before = readFileSync(database);
    const full = join(folder, 'AWSDynamoDB', readdirSync(join(folder, 'AWSDynamoDB'))[0] ?? '');
    for (const name of readdirSync(join(full, 'data')))
      writeFileSync(
        join(full, 'data', name),
        gzipSync('{"Item":{"sessionId":{"S":"a"},"digest":{"S":"b"}}}\n{"Item":\n'),
      );
    for (const name of ['manifest-summary.json', 'manifest-files.json', '_started']) rmSync(join(full, name));

    expect(await query([folder, '--database', database])).toMatchObject({ code: 1 });
    expect(readFileSync(database).equals(before)).toBe(true);
    expect(readdirSync(dirname(database))).toEqual(['sessions.duckdb']);
  });

  it('does not overwrite a file that is not such a database', async () => {
    const [folder, out] = [await exportOf(records), newFolder()];
    const [text, foreign] = [join(out, 'notes.duckdb'), join(out, 'foreign.duckdb')];
    writeFileSync(text, 'notes');
    await ask(folder, {
      attach: `ATTACH '${foreign}' AS foreign_data`,
      table: 'CREATE TABLE foreign_data.a AS SELECT 1',
    });

    for (const file of [text, foreign]) {
      const before = readFileSync(file);
      expect(await query([folder, '--database', file])).toMatchObject({
        code: 2,
        stderr: `${file} exists, and is not a database that --database has written. Name another file, or delete it.\n`,
      });
      expect(readFileSync(file).equals(before)).toBe(true);
    }
  });

  it('says as of when the data is if a query is relative to the current time, and what the result lacks', async () => {
    const old = await exportOf(records);
    const today = await exportOf(records, { time: new Date().toISOString() });

    expect((await query([old, 'failures-yesterday'])).stderr).toContain(
      'The query is relative to the current time, and the data is as of 2026-11-21T02:00:00.000Z, before the current day began: the result lacks what happened since.\n',
    );
    expect((await query([today, 'SELECT current_date'])).stderr).toMatch(
      /^The query is relative to the current time, and the data is as of \S+Z\.$/m,
    );
    expect((await query([old, 'SELECT 1'])).stderr).not.toContain('relative');
  });

  it('compresses a file whose name ends in .gz', async () => {
    const file = join(newFolder(), 'sessions.csv.gz');
    await query([await exportOf(records), 'SELECT session_id FROM sessions ORDER BY 1', '--out', file]);

    expect(gunzipSync(readFileSync(file)).toString()).toBe('session_id\na\nb\n');
  });

  it('shows days, hours and times in the time zone of --time-zone', async () => {
    const folder = await exportOf([session({ sessionId: 'a', startTime: '2026-01-12T20:30:00Z' })]);
    const sql = 'SELECT start_date, start_hour, start_time FROM sessions';
    const zone = ['--time-zone', 'Asia/Singapore'];

    expect((await query([folder, sql])).stdout).toContain('2026-01-12  20          2026-01-12 20:30:00Z');
    expect((await query([folder, sql, ...zone])).stdout).toContain(
      '2026-01-13  4           2026-01-13 04:30:00+08:00',
    );
    expect((await query([folder, sql, ...zone, '--format', 'csv'])).stdout).toContain(
      '\n2026-01-13,4,2026-01-13T04:30:00.000+08:00\n',
    );
    expect((await query([folder, 'outcomes-by-day', ...zone, '--format', 'csv'])).stdout).toContain(
      '\n2026-01-13,1,',
    );
  });

  it('writes every view to a file, and all of them to a database', async () => {
    const [folder, out] = [await exportOf(records), newFolder()];
    const database = join(out, 'sessions.duckdb');

    writeFileSync(`${database}.wal`, 'changes of an older database');
    expect(await query([folder, '--database', database])).toMatchObject({
      code: 0,
      stderr: `Wrote ${database}\n`,
    });
    expect(await query([folder, '--all', '--out', out])).toMatchObject({ code: 0 });
    const { rows } = await ask(folder, {
      attach: `ATTACH '${database}' AS written (READ_ONLY)`,
      tables: "SELECT table_name FROM duckdb_tables() WHERE database_name = 'written' ORDER BY 1",
      types: "SELECT column_type FROM (DESCRIBE written.sessions) WHERE column_name = 'start_time'",
      about: 'FROM written.about_this_export',
      uncommented:
        "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = 'written' AND comment IS NULL AND table_name IN (SELECT table_name FROM duckdb_tables() WHERE database_name = 'written' AND comment IS NOT NULL)",
      saved: 'FROM written."outcomes-by-day"',
      parquet: `SELECT typeof(start_time) AS type, count(*) AS rows FROM '${join(out, 'sessions.parquet')}' GROUP BY 1`,
    });
    const names = [
      ...VIEWS.map(({ name }) => name),
      'exports',
      'session_changes',
      'sessions_history',
      'call_legs_history',
      'session_errors_history',
    ];
    expect(rows('tables').map((row) => row['table_name'])).toEqual(
      ['about_this_export', ...names].toSorted(),
    );
    expect(rows('about')).toEqual([{ as_of: '2026-11-21 02:00:00+00', time_zone: 'UTC' }]);
    expect(rows('uncommented')).toEqual([]);
    expect(rows('saved')).not.toEqual([]);
    expect(rows('types')).toEqual([{ column_type: 'TIMESTAMP WITH TIME ZONE' }]);
    expect(rows('parquet')).toEqual([{ type: 'TIMESTAMP WITH TIME ZONE', rows: '2' }]);
    expect(readdirSync(out).toSorted()).toEqual(
      ['sessions.duckdb', ...names.map((name) => `${name}.parquet`)].toSorted(),
    );
  });

  it('writes the views without personal data for --without-personal-data, with the same rows and columns', async () => {
    const details = { errorCode: -2004, errorMsg: 'to personal-1' };
    const personal = (endTime: string) =>
      session({
        sessionId: 'a',
        endTime,
        clientRequestId: 'personal-2',
        errorDetails: details,
        'personal-3': 'personal-4',
        details: {
          callA: { callId: 'leg', source: 'personal-5', destination: 'personal-6', errorDetails: details },
        },
      });
    const conflict = merge(personal('2026-01-13T09:00:00Z'), personal('2026-01-13T10:00:00Z'));
    const [folder, whole, shared] = [await exportOf([conflict]), newFolder(), newFolder()];
    const database = join(shared, 'shared.duckdb');
    const option = '--without-personal-data';

    await query([folder, '--all', '--format', 'json', '--out', whole]);
    await query([folder, '--all', '--format', 'json', '--out', shared, option]);
    const files = readdirSync(shared).toSorted();
    expect(files).toEqual(readdirSync(whole).toSorted());
    const textIn = (out: string) => files.map((name) => readFileSync(join(out, name), 'utf8')).join('');
    for (const text of [...'123456'].map((digit) => `personal-${digit}`))
      expect([text, textIn(whole).includes(text), textIn(shared).includes(text)]).toEqual([
        text,
        true,
        false,
      ]);
    expect(textIn(shared)).not.toContain(conflict.digest);
    const rowsIn = (out: string) =>
      files.map((name) => v.parse(Rows, JSON.parse(readFileSync(join(out, name), 'utf8'))).map(Object.keys));
    expect(rowsIn(shared)).toEqual(rowsIn(whole));

    await query([folder, '--database', database, option]);
    const { rows } = await ask(folder, {
      attach: `ATTACH '${database}' AS shared (READ_ONLY)`,
      legs: 'SELECT source, destination, call_id FROM shared.call_legs',
    });
    expect(rows('legs')).toEqual([{ source: null, destination: null, call_id: 'leg' }]);
    expect(await query([folder, 'sessions', option])).toMatchObject({
      code: 2,
      stderr: '--without-personal-data needs --all or --database.\n',
    });
  });

  it('has the functions of Trino that DuckDB lacks or names differently', async () => {
    const sql = `SELECT date_format(at_timezone(start_time, 'Asia/Singapore'), '%Y-%m-%d %H:%i:%s') AS local,
      element_at([1, 2], 2) AS second, regexp_like('abc', 'b') AS matches, approx_distinct(session_id) AS sessions
    FROM sessions GROUP BY ALL`;

    expect((await query([await exportOf(records), sql, '--format', 'csv'])).stdout).toBe(
      'local,second,matches,sessions\n2026-01-13 16:26:58,2,true,2\n',
    );
  });

  it('converts times with the expression that Athena needs', async () => {
    const local = "at_timezone(with_timezone(start_time, 'UTC'), 'Asia/Singapore')";
    const sql = `SELECT hour(${local}) AS hour FROM sessions GROUP BY ALL`;
    const folder = await exportOf([session({ sessionId: 'a', startTime: '2026-01-12T20:30:00Z' })]);

    for (const zone of ['UTC', 'America/St_Johns'])
      expect((await query([folder, sql, '--time-zone', zone])).stdout).toBe('  hour\n  4\n');
  });

  it('converts times without a zone, whatever the zone of the query', async () => {
    const sql = `SELECT with_timezone(TIMESTAMP '2026-11-25 00:00:00', 'UTC') AS utc,
      with_timezone(DATE '2026-11-25', 'Asia/Tokyo') AS tokyo, TIMESTAMP_S '2026-11-25 00:00:00' AS local`;
    const folder = await exportOf(records);

    expect((await query([folder, sql, '--format', 'csv', '--time-zone', 'Asia/Singapore'])).stdout).toBe(
      'utc,tokyo,local\n2026-11-25T08:00:00.000+08:00,2026-11-24T23:00:00.000+08:00,2026-11-25T00:00:00.000\n',
    );
  });

  it('writes the result of PIVOT', async () => {
    const sql = 'FROM (PIVOT sessions ON outcome USING count(*) GROUP BY sub_account_id)';

    expect((await query([await exportOf(records), sql, '--format', 'csv'])).stdout).toMatch(
      /^sub_account_id,answered.*\n8x8_test,/,
    );
  });

  it('shows the first thousand rows, and reports that there are more', async () => {
    const { stdout, stderr } = await query([await exportOf(records), 'SELECT * FROM range(5000)']);

    expect(stdout.trimEnd().split('\n')).toHaveLength(1_001);
    expect(stderr).toBe('Only the first 1000 rows are shown. --format csv prints all of them.\n');
  });

  it.each([
    [[], 'Missing EXPORT: expected a folder or s3://BUCKET/PREFIX. See: npx vss-webhook query --help\n'],
    [
      ['FOLDER', 'nonsense'],
      /^Unknown saved query or view "nonsense"\. Available: outcomes-by-day, .*, sessions, .*\.\n$/,
    ],
    [['FOLDER', ' ; '], 'The query is empty: expected SQL, a saved query or a view.\n'],
    [
      ['FOLDER', 'CREATE TABLE t AS SELECT 1', '--format', 'csv'],
      /^csv output requires a query \(SELECT, FROM, WITH, VALUES, DESCRIBE, SUMMARIZE or SHOW\)/,
    ],
    [['FOLDER', '--file', 'nowhere.sql'], /\/nowhere\.sql does not exist: name a file with SQL\.\n$/],
    [['FOLDER', 'errors', '--all'], 'SQL or NAME, --file, --database and --all exclude each other.\n'],
    [['FOLDER', '--all'], '--all needs a folder: add --out FOLDER.\n'],
    [['FOLDER', '--all', '--out', 'package.json'], 'package.json is a file: --all needs a folder.\n'],
    [['FOLDER', '--print-sql'], '--print-sql needs SQL, NAME or --file.\n'],
    [
      ['FOLDER', 'errors', '--time-zone', '+08:00'],
      'Invalid --time-zone "+08:00": expected UTC, or a name such as Asia/Singapore\n',
    ],
    [
      ['FOLDER', 'errors', '--out', 'x.parquet.gz'],
      'Parquet is compressed already: name a file without .gz.\n',
    ],
    [['FOLDER', 'errors', '--out', 'x.txt'], /^The extension of x\.txt is not a known format/],
    [
      ['FOLDER', 'SELECT', '1'],
      'Unexpected argument "1": put the query in quotes. See: npx vss-webhook query --help\n',
    ],
    [
      ['FOLDER', 'errors', '--format', 'xml'],
      '--format must be one of table, vertical, csv, json, parquet, not "xml".\n',
    ],
    [
      ['FOLDER', 'errors', '--format', 'parquet'],
      'Parquet cannot be written to standard output: name a file with --out.\n',
    ],
    [['FOLDER', 'errors', '--nonsense'], /^Unknown option '--nonsense'/],
  ])('rejects %j with exit code 2', async (args, message) => {
    const folder = await exportOf(records);
    const { code, stdout, stderr } = await query(args.map((arg) => (arg === 'FOLDER' ? folder : arg)));

    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
  });

  it.each([
    [['nowhere', 'SELECT 1'], /^\/\S+\/nowhere does not exist\.\n$/],
    [['nowhere'], /^\/\S+\/nowhere does not exist\.\n$/],
    [['s3://', 'errors'], '"s3://" does not name a bucket: expected s3://BUCKET/PREFIX.\n'],
    [['FOLDER', 'SELECT nonsense FROM sessions'], /Referenced column "nonsense" not found/],
    [['FOLDER', 'errors', '--out', 'nowhere/x.csv'], /nowhere\/x\.csv/],
  ])('fails on %j with exit code 1, and prints the reason', async (args, message) => {
    const folder = await exportOf(records);
    const { code, stdout, stderr } = await query(args.map((arg) => (arg === 'FOLDER' ? folder : arg)));

    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
  });

  it('fetches an export from S3 with the credentials of the shell', async () => {
    const emulator = buildApp({ logger: false });
    try {
      const endpoint = await emulator.listen({ port: 0, host: '127.0.0.1' });
      const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };
      const s3 = new S3Client({ endpoint, region: 'us-east-1', credentials, forcePathStyle: true });
      await s3.send(new CreateBucketCommand({ Bucket: 'exported' }));
      await upload(s3, await exportOf(records), 's3://exported/exports/2026-11-21T02Z');
      const env = {
        ...process.env,
        AWS_ENDPOINT_URL_S3: endpoint,
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'any',
        AWS_SECRET_ACCESS_KEY: 'any',
        TMPDIR: newFolder(),
        XDG_CACHE_HOME: newFolder(),
      };

      expect(
        await query(['s3://exported/exports/2026-11-21T02Z', 'SELECT count(*) AS n FROM sessions'], env),
      ).toMatchObject({
        code: 0,
        stdout: '  n\n  2\n',
        stderr: expect.stringMatching(
          /^Fetching \d objects, 0\.0 MB, from s3:\/\/exported\/exports\/2026-11-21T02Z …\n1 row\n$/,
        ),
      });
      // The objects are cached, unless --fresh is given.
      const source = 's3://exported/exports/2026-11-21T02Z';
      expect((await query([source, 'errors'], env)).stderr).toBe('0 rows\n');
      const cached = () =>
        readdirSync(join(env.XDG_CACHE_HOME, 'vss-webhook'), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map(({ parentPath, name }) => join(parentPath, name));
      const summary = cached().find((path) => path.endsWith('manifest-summary.json')) ?? '';
      truncateSync(summary, 10);
      expect((await query([source, 'errors'], env)).stderr).toMatch(/^Fetching 1 object,/);
      expect((await query([source, 'errors', '--fresh'], env)).stderr).toMatch(/^Fetching \d objects/);
      expect(statSync(join(env.XDG_CACHE_HOME, 'vss-webhook')).mode & 0o777).toBe(0o700);
      expect(await query(['s3://exported/nothing', 'errors'], env)).toMatchObject({
        code: 1,
        stderr: 'Found no objects in s3://exported/nothing.\n',
      });
      expect(await query(['s3://unknown/exports', 'errors'], env)).toMatchObject({ code: 1, stdout: '' });
      // A key with ".." does not lead out of the cache.
      const Key = `exports/2026-11-21T02Z/AWSDynamoDB/../../../../../../outside-${process.pid}`;
      await s3.send(new PutObjectCommand({ Bucket: 'exported', Key, Body: 'outside' }));
      await query(['s3://exported/exports/2026-11-21T02Z', 'errors'], env);
      expect(readdirSync(env.XDG_CACHE_HOME)).toEqual(['vss-webhook']);
      // What expired in S3 is deleted from the cache.
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: 'exported' }));
      for (const { Key: each } of Contents)
        await s3.send(new DeleteObjectCommand({ Bucket: 'exported', Key: each }));
      expect(cached().length).toBeGreaterThan(0);
      expect(await query([source, 'errors'], env)).toMatchObject({ code: 1 });
      expect(cached()).toEqual([]);
      // The temporary folders were removed.
      expect(readdirSync(env.TMPDIR)).toEqual([]);
      s3.destroy();
    } finally {
      await emulator.close();
    }
  });

  it('removes its temporary files when its output is closed, and reports a full disk', async ({ signal }) => {
    const [folder, temporary] = [await exportOf(records), newFolder()];
    const shell = (rest: string) =>
      promisify(execFile)(
        'bash',
        [
          '-c',
          `set -o pipefail; "$0" infra/vss-webhook.js query "$1" 'SELECT * FROM range(100000)' --format csv ${rest}`,
          process.execPath,
          folder,
        ],
        {
          cwd: root,
          env: { ...process.env, TMPDIR: temporary },
          signal,
        },
      );

    expect((await shell('| head -1')).stdout).toBe('range\n');
    // Linux has a device that is always full.
    if (existsSync('/dev/full'))
      await expect(shell('> /dev/full')).rejects.toMatchObject({
        code: 1,
        stderr: expect.stringContaining('ENOSPC'),
      });
    expect(readdirSync(temporary)).toEqual([]);
  });

  it('prints its usage with --help', async () => {
    expect((await query(['--help'])).stdout).toMatch(/^Usage: npx vss-webhook query EXPORT/);
    expect(existsSync(join(root, 'nowhere'))).toBe(false);
  });
});
