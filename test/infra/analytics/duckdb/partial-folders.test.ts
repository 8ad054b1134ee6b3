import {
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { newRecord, receivedSummary } from '../../../../functions/vss/record.ts';
import { summaryBody, summaryOf } from '../../../functions/summaries.ts';
import { addIncrement, ask, exportOf, newFolder } from '../exported.ts';

/** Folders that lack something: what people copy, and what is left of exports that expired. */

const SESSIONS = {
  sessions: 'SELECT session_id FROM sessions ORDER BY ALL',
  history: 'SELECT session_id FROM sessions_history ORDER BY ALL',
};
const session = (sessionId: string) =>
  newRecord(receivedSummary(summaryOf(summaryBody({ sessionId })), '2026-11-20T10:00:00.000Z'));
const ids = (rows: readonly Record<string, unknown>[]) => rows.map((row) => row['session_id']);

const OLD = '2026-11-20T02:00:00Z';
const NEW = '2026-11-21T02:00:00Z';

/** A folder with two full exports, and the folder of each. */
async function twoExports() {
  const folder = await exportOf([session('old')], { time: OLD });
  await exportOf([session('new')], { folder, time: NEW });
  const [older = '', newer = ''] = readdirSync(join(folder, 'AWSDynamoDB')).toSorted();
  return { folder, older: join(folder, 'AWSDynamoDB', older), newer: join(folder, 'AWSDynamoDB', newer) };
}

const dataFiles = (folder: string) =>
  readdirSync(join(folder, 'data')).map((name) => join(folder, 'data', name));

function removeData(folder: string): void {
  rmSync(join(folder, 'data'), { recursive: true });
}

function truncateData(folder: string): void {
  const file = dataFiles(folder).find((each) => statSync(each).size > 100) ?? '';
  truncateSync(file, statSync(file).size - 8);
}

function toIon(folder: string): void {
  const path = join(folder, 'manifest-summary.json');
  writeFileSync(path, readFileSync(path, 'utf8').replace('DYNAMODB_JSON', 'ION'));
}

describe('an export that the views do not need', () => {
  it.each<[string, (folder: string) => void, RegExp]>([
    ['without its data files', removeData, /^Ignored an export .* The data file .* is missing/],
    ['in another format', toIon, /^Ignored an export .* has the format ION/],
    [
      'with a malformed manifest',
      (folder) => truncateSync(join(folder, 'manifest-summary.json'), 10),
      /^Ignored an export .* is not a manifest of a DynamoDB export/,
    ],
    ['with a truncated data file', truncateData, /^The history does not include .* was truncated or changed/],
  ])('is left out of the history %s, with a notice', async (_, damage, notice) => {
    const { folder, older } = await twoExports();
    damage(older);
    const { rows, notices } = await ask(folder, SESSIONS);

    expect([ids(rows('sessions')), ids(rows('history'))]).toEqual([['new'], ['new']]);
    expect(notices).toEqual([expect.stringMatching(notice)]);
  });

  it('is left out of the changes of sessions if it is an incremental one with a truncated data file', async () => {
    const { folder } = await twoExports();
    addIncrement(folder, '2026-11-19T02:00:00Z', OLD, [
      { sessionId: 'new', written: 1, newImage: { ...session('new'), sessionStatus: 'BUSY' } },
    ]);
    const changes = 'SELECT session_id FROM session_changes';
    expect(ids((await ask(folder, { changes })).rows('changes'))).toEqual(['new']);

    truncateData(join(folder, 'AWSDynamoDB'));
    const { rows, notices } = await ask(folder, { changes });
    expect(rows('changes')).toEqual([]);
    expect(notices).toEqual([
      expect.stringMatching(/^The history does not include .* was truncated or changed/),
    ]);
  });

  it('is one of an earlier point in time, even if it was requested later', async () => {
    const { folder, older } = await twoExports();
    const later = older.replace(/\d{14}-/, '09999999999999-');
    renameSync(older, later);
    removeData(later);

    expect(ids((await ask(folder, SESSIONS)).rows('sessions'))).toEqual(['new']);
  });

  it('may be newer if it is in another format', async () => {
    const { folder, newer } = await twoExports();
    toIon(newer);

    expect(ids((await ask(folder, SESSIONS)).rows('sessions'))).toEqual(['old']);
  });
});

describe('an export that the views need', () => {
  it('is fatal without its data files', async () => {
    const { folder, newer } = await twoExports();
    removeData(newer);

    await expect(ask(folder, SESSIONS)).rejects.toThrow(/The data file .* is missing\. Fetch it again\./);
  });

  it('is fatal if it is the only full one, although there are changes after it', async () => {
    const folder = await exportOf([session('a')], { time: NEW });
    addIncrement(folder, NEW, '2026-11-22T02:00:00Z', []);
    const [id = ''] = readdirSync(join(folder, 'AWSDynamoDB')).filter((name) => !name.endsWith('aaaaaaaa'));
    removeData(join(folder, 'AWSDynamoDB', id));

    await expect(ask(folder, SESSIONS)).rejects.toThrow(/The data file .* is missing/);
  });

  it('is fatal if it is an incremental one without its data files', async () => {
    const { folder } = await twoExports();
    addIncrement(folder, NEW, '2026-11-22T02:00:00Z', [
      { sessionId: 'a', written: 1, newImage: session('a') },
    ]);
    rmSync(join(folder, 'AWSDynamoDB', 'data'), { recursive: true });

    await expect(ask(folder, SESSIONS)).rejects.toThrow(/The data file .* is missing/);
  });
});

describe('data files without a manifest', () => {
  it.each([
    ['in the folder of their export', (folder: string) => folder, '2026-11-21T02:00:00.000Z'],
    ['in a folder of their own', (folder: string) => join(folder, 'data'), undefined],
  ])('are read %s, with a notice that they cannot be checked', async (_, pathOf, time) => {
    const { newer } = await twoExports();
    for (const name of ['manifest-summary.json', 'manifest-files.json', '_started'])
      rmSync(join(newer, name), { force: true });
    const path = join(newFolder(), time === undefined ? 'copy' : (newer.split('/').at(-1) ?? ''));
    renameSync(newer, path);
    const { rows, notices, incomplete } = await ask(pathOf(path), {
      ...SESSIONS,
      exports: 'FROM exports',
    });

    expect([ids(rows('sessions')), ids(rows('history'))]).toEqual([['new'], ['new']]);
    expect(rows('exports')).toMatchObject([
      {
        export_type: 'full',
        item_count: null,
        gap_before: false,
        ...(time && { export_time: '2026-11-21T02Z' }),
      },
    ]);
    expect(notices).toEqual([expect.stringMatching(/has no manifest\. Whether its data files are complete/)]);
    expect(incomplete).toEqual([
      {
        data: 'sessions',
        text: 'The export has no manifest, so nothing tells whether all of its files are there. Without one of them, all numbers are too low.',
      },
    ]);
  });

  it('are rejected if one is truncated', async () => {
    const { newer } = await twoExports();
    const full = dataFiles(newer).find((file) => statSync(file).size > 100) ?? '';
    truncateSync(full, statSync(full).size - 8);

    await expect(ask(join(newer, 'data'), SESSIONS)).rejects.toThrow(
      `${full} was truncated or changed. Fetch it again.`,
    );
  });

  it('are rejected if a session is in two of them, which are then of several exports', async () => {
    const folder = await exportOf([session('a'), session('b')], { time: OLD });
    await exportOf([session('b'), session('c')], { folder, time: NEW });
    const data = newFolder();
    for (const id of readdirSync(join(folder, 'AWSDynamoDB')))
      for (const file of dataFiles(join(folder, 'AWSDynamoDB', id)))
        renameSync(file, join(data, basename(file)));

    await expect(ask(data, SESSIONS)).rejects.toThrow(
      `${data} has the data files of several exports: 1 of their sessions is there more than once.`,
    );
  });

  it('are rejected if they belong to several exports', async () => {
    const { folder, older, newer } = await twoExports();
    for (const each of [older, newer])
      for (const name of ['manifest-summary.json', 'manifest-files.json']) rmSync(join(each, name));
    for (const each of [older, newer]) rmSync(join(each, '_started'), { force: true });

    await expect(ask(folder, SESSIONS)).rejects.toThrow(
      'expected only data files of one export, in one folder',
    );
  });
});

describe('decompressed data files', () => {
  it.each([
    ['without the extension .gz', (file: string) => file.replace(/\.gz$/, '')],
    ['with the extension .gz', (file: string) => file],
  ])('are read beside a manifest %s', async (_, nameOf) => {
    const folder = await exportOf([session('a'), session('b'), session('c')]);
    const [id = ''] = readdirSync(join(folder, 'AWSDynamoDB'));
    const [file = ''] = dataFiles(join(folder, 'AWSDynamoDB', id));
    const text = gunzipSync(readFileSync(file));
    rmSync(file);
    writeFileSync(nameOf(file), text);
    const { rows, notices } = await ask(folder, SESSIONS);

    expect(ids(rows('sessions'))).toEqual(['a', 'b', 'c']);
    expect(notices).toEqual([]);
  });

  it('are rejected if they have too few lines', async () => {
    const folder = await exportOf([session('a'), session('b')]);
    const [id = ''] = readdirSync(join(folder, 'AWSDynamoDB'));
    for (const file of dataFiles(join(folder, 'AWSDynamoDB', id))) {
      rmSync(file);
      writeFileSync(file.replace(/\.gz$/, ''), '');
    }

    await expect(ask(folder, SESSIONS)).rejects.toThrow('does not match its manifest');
  });
});

describe('the view exports', () => {
  it('lists full and incremental exports, and marks those after a gap', async () => {
    const folder = await exportOf([session('a')], { time: OLD });
    addIncrement(folder, OLD, NEW, []);
    addIncrement(folder, '2026-11-21T03:00:00Z', '2026-11-22T02:00:00Z', []);
    const { rows } = await ask(folder, {
      exports:
        'SELECT export_time, export_type, changes_since, item_count, gap_before FROM exports ORDER BY 1',
    });

    expect(rows('exports')).toEqual([
      {
        export_time: '2026-11-20T02Z',
        export_type: 'full',
        changes_since: null,
        item_count: '1',
        gap_before: false,
      },
      {
        export_time: '2026-11-21T02Z',
        export_type: 'incremental',
        changes_since: '2026-11-20T02Z',
        item_count: '0',
        gap_before: false,
      },
      {
        export_time: '2026-11-22T02Z',
        export_type: 'incremental',
        changes_since: '2026-11-21T03Z',
        item_count: '0',
        gap_before: true,
      },
    ]);
  });
});
