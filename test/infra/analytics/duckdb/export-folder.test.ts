import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newRecord, receivedSummary, type SessionRecord } from '../../../../functions/vss/record.ts';
import { summaryBody, summaryOf } from '../../../functions/summaries.ts';
import { chargeRow, writeCharges } from '../charged.ts';
import { addIncrement, ask, type Change, exportOf, newFolder, TABLE } from '../exported.ts';

const SESSIONS = { sessions: 'SELECT session_id, session_status FROM sessions ORDER BY ALL' };

function session(sessionId: string, sessionStatus = 'COMPLETED'): SessionRecord {
  const body = summaryBody({ sessionId, sessionStatus });
  return newRecord(receivedSummary(summaryOf(body), '2026-11-20T10:00:00.000Z'));
}

const change = (sessionId: string, written: number, newImage?: object): Change => ({
  sessionId,
  written,
  oldImage: session(sessionId),
  ...(newImage && { newImage }),
});

/** The path of the only export in a folder. */
function onlyExport(folder: string): string {
  const [id = ''] = readdirSync(join(folder, 'AWSDynamoDB')).filter((name) => name !== 'data');
  return join(folder, 'AWSDynamoDB', id);
}

/** Replaces text in a file. */
function edit(path: string, from: string | RegExp, to: string): void {
  writeFileSync(path, readFileSync(path, 'utf8').replace(from, to));
}

describe('openSessions', () => {
  it('opens the folder of an export, and any folder above it', async () => {
    const folder = await exportOf([session('a'), session('b')]);

    for (const path of [folder, join(folder, 'AWSDynamoDB'), onlyExport(folder)])
      expect((await ask(path, SESSIONS)).rows('sessions')).toHaveLength(2);
  });

  it('finds data files by name when the manifest contains another S3 prefix', async () => {
    const folder = await exportOf([session('a')]);
    edit(
      join(onlyExport(folder), 'manifest-files.json'),
      /AWSDynamoDB/g,
      'exports/2026-11-21T02Z/AWSDynamoDB',
    );

    expect((await ask(folder, SESSIONS)).rows('sessions')).toHaveLength(1);
  });

  it('shows the newest of several full exports, and all of them in the history', async () => {
    const folder = await exportOf([session('a'), session('b')], { time: '2026-11-20T02:00:00Z' });
    await exportOf([session('b'), session('c'), session('d')], { folder, time: '2026-11-21T02:00:00Z' });
    const { rows } = await ask(folder, {
      ...SESSIONS,
      history: 'SELECT export_time, count(*) AS sessions FROM sessions_history GROUP BY 1 ORDER BY 1',
      exports: 'SELECT export_time, item_count FROM exports ORDER BY 1',
    });

    expect(rows('sessions').map((row) => row['session_id'])).toEqual(['b', 'c', 'd']);
    expect(rows('history')).toEqual([
      { export_time: '2026-11-20T02Z', sessions: '2' },
      { export_time: '2026-11-21T02Z', sessions: '3' },
    ]);
    expect(rows('exports').map((row) => row['item_count'])).toEqual(['2', '3']);
  });

  it('identifies an export by the scheduled time in its prefix, as Athena does', async () => {
    const folder = await exportOf([session('a')], { time: '2026-11-21T02:00:17.250Z' });
    edit(
      join(onlyExport(folder), 'manifest-summary.json'),
      '"s3Prefix":null',
      '"s3Prefix":"exports/2026-11-21T02Z"',
    );
    const { rows } = await ask(folder, {
      exports: "FROM exports WHERE export_time = '2026-11-21T02Z'",
      history: "SELECT session_id FROM sessions_history WHERE export_time = '2026-11-21T02Z'",
    });

    expect(rows('exports')).toHaveLength(1);
    expect(rows('history')).toEqual([{ session_id: 'a' }]);
  });

  it('counts several copies of an export once, whatever the name of the folder', async () => {
    const folder = await exportOf([session('a')]);
    cpSync(join(folder, 'AWSDynamoDB'), join(folder, "it's [a] *copy*", 'AWSDynamoDB'), { recursive: true });
    const { rows } = await ask(folder, { history: 'FROM sessions_history', exports: 'FROM exports' });

    expect([rows('history').length, rows('exports').length]).toEqual([1, 1]);
    expect((await ask(join(folder, "it's [a] *copy*"), SESSIONS)).rows('sessions')).toHaveLength(1);
  });

  it('opens an export without records', async () => {
    const { rows } = await ask(await exportOf([]), { ...SESSIONS, legs: 'FROM call_legs' });

    expect([rows('sessions'), rows('legs')]).toEqual([[], []]);
  });
});

describe('openSessions with incremental exports', () => {
  it('applies new, changed and deleted records to the full export before them', async () => {
    const folder = await exportOf([session('a'), session('b'), session('c')], {
      time: '2026-11-20T02:00:00Z',
    });
    addIncrement(folder, '2026-11-20T02:00:00Z', '2026-11-21T02:00:00Z', [
      change('a', 1_000, session('a', 'FAILED')),
      change('b', 1_001),
      { sessionId: 'd', written: 1_002, newImage: session('d') },
    ]);
    const { rows, notices } = await ask(folder, {
      ...SESSIONS,
      history: 'SELECT export_time, count(*) AS sessions FROM sessions_history GROUP BY 1 ORDER BY 1',
    });

    expect(rows('sessions')).toEqual([
      { session_id: 'a', session_status: 'FAILED' },
      { session_id: 'c', session_status: 'COMPLETED' },
      { session_id: 'd', session_status: 'COMPLETED' },
    ]);
    expect(rows('history')).toEqual([{ export_time: '2026-11-20T02Z', sessions: '3' }]);
    expect(notices).toEqual([]);
  });

  it('shows the final state of the table after any sequence of changes and exports', async () => {
    const operation = fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      status: fc.option(fc.constantFrom('COMPLETED', 'FAILED', 'BUSY'), { nil: undefined }),
    });
    const days = fc.array(fc.array(operation, { maxLength: 12, size: 'max' }), {
      minLength: 2,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(days, async (daily) => {
        const table = new Map([['a', session('a')]]);
        const folder = await exportOf([...table.values()], { time: '2026-11-01T02:00:00Z' });
        let written = 0;
        for (const [day, operations] of daily.entries()) {
          const images = new Map<string, Change>();
          for (const { id, status } of operations) {
            const image = status === undefined ? undefined : session(id, status);
            if (image) table.set(id, image);
            else table.delete(id);
            images.set(id, change(id, ++written, image));
          }
          const time = (number: number) => `2026-11-${String(number).padStart(2, '0')}T02:00:00Z`;
          addIncrement(folder, time(day + 1), time(day + 2), [...images.values()]);
        }

        expect((await ask(folder, SESSIONS)).rows('sessions')).toEqual(
          [...table.values()]
            .map(({ sessionId, sessionStatus }) => ({ session_id: sessionId, session_status: sessionStatus }))
            .toSorted((a, b) => (a.session_id < b.session_id ? -1 : 1)),
        );
      }),
      { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 4) },
    );
  });

  it('ignores those before the full export', async () => {
    const folder = await exportOf([session('a')], { time: '2026-11-21T02:00:00Z' });
    addIncrement(folder, '2026-11-19T02:00:00Z', '2026-11-20T02:00:00Z', [change('a', 1)]);

    expect((await ask(folder, SESSIONS)).rows('sessions')).toHaveLength(1);
  });

  it('reports a gap between two exports', async () => {
    const folder = await exportOf([session('a')], { time: '2026-11-20T02:00:00Z' });
    addIncrement(folder, '2026-11-21T02:00:00Z', '2026-11-22T02:00:00Z', [change('b', 1, session('b'))]);
    addIncrement(folder, '2026-11-22T02:00:00Z', '2026-11-23T02:00:00Z', [change('c', 2, session('c'))]);

    expect((await ask(folder, SESSIONS)).notices).toEqual([
      'No export contains the changes from 2026-11-20T02:00:00.000Z to 2026-11-21T02:00:00.000Z: they are missing.',
    ]);
  });

  it('shows the records they contain, and reports it, when there is no full export', async () => {
    const folder = newFolder();
    addIncrement(folder, '2026-11-20T02:00:00Z', '2026-11-21T02:00:00Z', [
      change('a', 1, session('a')),
      change('b', 2),
    ]);
    const { rows, notices } = await ask(folder, SESSIONS);

    expect(rows('sessions')).toEqual([{ session_id: 'a', session_status: 'COMPLETED' }]);
    expect(notices).toEqual(['Found no full export: only the records in the incremental exports are known.']);
  });
});

describe('openSessions with an invalid folder', () => {
  it('rejects a folder that does not exist, a file, and a folder without an export', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'notes.txt'), 'hello');

    await expect(ask(join(folder, 'nowhere'), SESSIONS)).rejects.toThrow(/nowhere does not exist\.$/);
    await expect(ask(join(folder, 'notes.txt'), SESSIONS)).rejects.toThrow(
      /is a file: expected the folder of an export/,
    );
    await expect(ask(folder, SESSIONS)).rejects.toThrow(
      /contains no complete DynamoDB export: expected manifest-summary\.json, manifest-files\.json/,
    );
  });

  it('reads the exports and charges of a folder whose name is a pattern to DuckDB, and no others', async () => {
    const parent = newFolder();
    for (const name of ['nov1', 'nov[1]', 'nov*', 'nov?']) {
      const folder = join(parent, name);
      mkdirSync(folder);
      await exportOf([session(name)], { folder });
      writeCharges(folder, { rows: [chargeRow(name, '1')] });
    }
    for (const name of ['nov1', 'nov[1]', 'nov*', 'nov?']) {
      const { rows } = await ask(join(parent, name), {
        sessions: 'SELECT session_id FROM sessions',
        charges: 'SELECT session_id FROM call_charges',
      });

      expect([rows('sessions'), rows('charges')]).toEqual([[{ session_id: name }], [{ session_id: name }]]);
    }
  });

  it('rejects a truncated data file', async () => {
    const folder = await exportOf([session('a'), session('b'), session('c')]);
    const [file = ''] = readdirSync(join(onlyExport(folder), 'data'));
    truncateSync(join(onlyExport(folder), 'data', file), 100);

    await expect(ask(folder, SESSIONS)).rejects.toThrow(
      `${file} does not match its manifest: it was truncated`,
    );
  });

  it('rejects a replaced data file, but accepts another checksum if the number of lines matches', async () => {
    const folder = await exportOf([session('a'), session('b'), session('c')]);
    const manifest = join(onlyExport(folder), 'manifest-files.json');
    edit(manifest, /"md5Checksum":"[^"]*"/g, '"md5Checksum":"of something else"');
    expect((await ask(folder, SESSIONS)).rows('sessions')).toHaveLength(3);

    const [file = ''] = readdirSync(join(onlyExport(folder), 'data'));
    writeFileSync(join(onlyExport(folder), 'data', file), gzipSync('{}\n{}\n'));
    await expect(ask(folder, SESSIONS)).rejects.toThrow('does not match its manifest');
  });

  it('rejects a missing data file', async () => {
    const folder = await exportOf([session('a'), session('b'), session('c')]);
    const [file = ''] = readdirSync(join(onlyExport(folder), 'data'));
    rmSync(join(onlyExport(folder), 'data', file));

    await expect(ask(folder, SESSIONS)).rejects.toThrow(
      new RegExp(`The data file ${file} of the export in .* is missing\\. Fetch it again\\.`),
    );
  });

  it('rejects a malformed manifest, and manifests that contradict each other', async () => {
    const folder = await exportOf([session('a')]);
    const summary = join(onlyExport(folder), 'manifest-summary.json');
    edit(summary, '"itemCount":1', '"itemCount":2');
    await expect(ask(folder, SESSIONS)).rejects.toThrow(
      'is inconsistent: manifest-summary.json counts 2 items, manifest-files.json 1.',
    );

    writeFileSync(summary, '{"some":"other file"}');
    await expect(ask(folder, SESSIONS)).rejects.toThrow(
      'manifest-summary.json is not a manifest of a DynamoDB export. Missing or malformed: exportArn, tableArn',
    );

    writeFileSync(summary, 'half a li');
    await expect(ask(folder, SESSIONS)).rejects.toThrow('Missing or malformed: not JSON');

    writeFileSync(summary, '');
    await expect(ask(folder, SESSIONS)).rejects.toThrow('Missing or malformed: not JSON');
  });

  it('rejects an export in the Ion format', async () => {
    const folder = await exportOf([session('a')]);
    edit(join(onlyExport(folder), 'manifest-summary.json'), 'DYNAMODB_JSON', 'ION');

    await expect(ask(folder, SESSIONS)).rejects.toThrow('has the format ION: expected DYNAMODB_JSON');
  });

  it('rejects exports of another table, and of several tables', async () => {
    await expect(ask(await exportOf([{ orderId: 'o-1' }]), SESSIONS)).rejects.toThrow(
      'contains no session records: it belongs to an export of another table.',
    );
    const other = await exportOf([session('a')], { time: '2026-11-20T02:00:00Z' });
    addIncrement(other, '2026-11-20T02:00:00Z', '2026-11-21T02:00:00Z', []);
    expect((await ask(other, SESSIONS)).rows('sessions')).toHaveLength(1);
    const orders = newFolder();
    addIncrement(orders, '2026-11-20T02:00:00Z', '2026-11-21T02:00:00Z', [{ orderId: 'o-1', written: 1 }]);
    await expect(ask(orders, SESSIONS)).rejects.toThrow('contains no session records');

    const folder = await exportOf([session('a')]);
    await exportOf([session('a')], { folder, tableArn: TABLE.replace('sessions', 'others') });
    await expect(ask(folder, SESSIONS)).rejects.toThrow(
      /contains exports of several tables: .*\. Name a folder with the exports of one\.$/,
    );
  });

  it('ignores an export that is still being written, and reports it', async () => {
    const folder = await exportOf([session('a')], { time: '2026-11-20T02:00:00Z' });
    const other = onlyExport(await exportOf([session('b')], { time: '2026-11-21T02:00:00Z' }));
    rmSync(join(other, 'manifest-files.json'));
    renameSync(other, join(folder, 'AWSDynamoDB', '01795226400000-unfinished'));
    const { rows, notices } = await ask(folder, SESSIONS);

    expect(rows('sessions')).toMatchObject([{ session_id: 'a' }]);
    expect(notices).toEqual(['Ignored the export 01795226400000-unfinished: it is incomplete.']);
  });
});
