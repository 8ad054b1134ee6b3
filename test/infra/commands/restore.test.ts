import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { buildApp } from 'fauxqs';
import { afterAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { merge, newRecord, receivedSummary, type SessionRecord } from '../../../functions/vss/record.ts';
import { sessionEvent } from '../../../functions/vss/session-event.ts';
import { startDynalite } from '../../functions/recorder/dynalite.ts';
import { emulatedTable } from '../../functions/recorder/emulated-table.ts';
import { summaryBody, summaryOf } from '../../functions/summaries.ts';
import { addIncrement, addIncrementOf, exportOf, newFolder, upload } from '../analytics/exported.ts';
import { deployedStage } from './deployed-stage.ts';
import { vssWebhook } from './vss-webhook.ts';

/** Runs `npx vss-webhook restore` on a table of dynalite. */

const { endpoint, stop } = await startDynalite();
afterAll(stop);
let live: Awaited<ReturnType<typeof emulatedTable>>;
beforeEach(async () => {
  live = await emulatedTable(endpoint);
});

/** A record with one summary that ended on this day, or with the given fields. */
function record(sessionId: string, day = '2026-11-20', payload: object = {}): SessionRecord {
  const endTime = `${day}T10:00:00Z`;
  return newRecord(
    receivedSummary(summaryOf(summaryBody({ sessionId, endTime, ...payload })), `${day}T10:00:05.000Z`),
  );
}

const tombstone = (sessionId: string) => ({ sessionId, erasedAt: '2026-11-25T00:00:00.000Z' });
const FUTURE = Math.floor(Date.now() / 1_000) + 1_000_000;

async function restore(folder: string, ...args: string[]) {
  return restoreWith(folder, ['--yes', ...args]);
}

async function restoreWith(
  folder: string,
  args: readonly string[],
  { interrupted, env = {} }: { interrupted?: AbortSignal; env?: NodeJS.ProcessEnv } = {},
) {
  await using prod = await deployedStage(
    { outputs: { ...OUTPUTS, TableName: live.name } },
    { AWS_ENDPOINT_URL_DYNAMODB: endpoint, ...env },
  );
  return await vssWebhook(['restore', folder, '--stage', 'prod', '--rate', '100000', ...args], {
    env: prod.environment,
    interrupted,
  });
}

const OUTPUTS = {
  WebhookUrl: 'https://api.example/webhook',
  AuthorizationSecretArn: 'secret',
  QueueUrl: 'queue',
  DeadLetterQueueUrl: 'dead-letters',
  SubAccountIds: 'acme',
  RegistrationFunctionName: 'registration',
  WebhookFunctionName: 'webhook',
  AlarmTopicArn: 'topic',
};

/** The items of the live table by session. */
const items = async () => new Map((await live.items()).map((item) => [String(item['sessionId']), item]));

describe('restore', () => {
  it('adds the sessions that the table lacks, as they were', async () => {
    const kept = { ...record('a'), revision: 7, expiresAt: FUTURE };
    const folder = await exportOf([kept, record('b')]);

    const { code, stdout, stderr } = await restore(folder);

    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /^vss-webhook-prod, account 123456789012, region eu-west-1\n\nFrom {2}1 export of arn:\S+\/sessions, as of 2026-11-21T02:00:00.000Z\nInto {2}sessions-\S+\nSize {2}2 items, at least 0 s, at most about \$0.00 \(list prices of us-east-1\)\n\n2 added, 0 changed, 0 unchanged\.\n$/,
    );
    expect(await items()).toEqual(
      new Map([
        ['a', kept],
        ['b', JSON.parse(JSON.stringify(record('b')))],
      ]),
    );
  });

  it('merges a session that both have, and changes nothing when it runs again', async () => {
    const [older, newer] = [record('a', '2026-11-20'), record('a', '2026-11-22')];
    const folder = await exportOf([older, record('same')]);
    await live.table.add(newer);
    await live.table.add(record('same'));

    expect((await restore(folder)).stdout).toMatch(/\n0 added, 1 changed, 1 unchanged\.\n$/);
    live.requests.length = 0;
    expect((await restore(folder)).stdout).toMatch(/\n0 added, 0 changed, 2 unchanged\.\n$/);

    expect(await live.table.read('a')).toEqual({
      ...JSON.parse(JSON.stringify(merge(older, newer))),
      revision: 2,
    });
    expect((await items()).get('same')).toHaveProperty('revision', 1);
  });

  it('keeps the later of two expiries, and none if one of the records never expires', async () => {
    const expiring = (sessionId: string, expiresAt?: number) => ({ ...record(sessionId), expiresAt });
    const folder = await exportOf([
      expiring('later', FUTURE + 9),
      expiring('earlier', FUTURE - 9),
      expiring('never-here'),
      expiring('never-there', FUTURE),
      expiring('expired', 1),
      expiring('expired-and-new', 1),
    ]);
    for (const sessionId of ['later', 'earlier', 'never-here', 'expired'])
      await live.stored.add({ record: record(sessionId), expiresAt: FUTURE });
    await live.stored.add({ record: record('never-there'), expiresAt: undefined });

    const { stdout, code } = await restore(folder);

    expect([stdout.split('\n').at(-2), code]).toEqual([
      '0 added, 2 changed, 2 unchanged, 2 not restored, because they have expired.',
      0,
    ]);
    const expiries = [...(await items())].map(([sessionId, { expiresAt }]) => [sessionId, expiresAt]);
    expect(Object.fromEntries(expiries)).toEqual({
      later: FUTURE + 9,
      earlier: FUTURE,
      'never-here': undefined,
      'never-there': undefined,
      expired: FUTURE,
    });
  });

  it('writes no item with an event, so that the pipe publishes none', async () => {
    const withEvent = (one: SessionRecord) => ({
      ...one,
      event: sessionEvent(undefined, one, { phoneNumbers: false }),
    });
    const folder = await exportOf([withEvent(record('new')), withEvent(record('a', '2026-11-22'))]);
    await live.table.add(withEvent(record('a')));
    await live.table.add(withEvent(record('expiring')));

    await restore(folder);

    const stored = await items();
    expect([...stored.keys()].toSorted()).toEqual(['a', 'expiring', 'new']);
    expect([stored.get('new'), stored.get('a')].map((item) => item && 'event' in item)).toEqual([
      false,
      false,
    ]);
    // It is not written, so its event stays, and the stream does not publish it again.
    expect(stored.get('expiring')).toMatchObject({ event: { sessionId: 'expiring' }, revision: 1 });
  });

  it('copies a tombstone over a record, and keeps one in place of a record', async () => {
    const folder = await exportOf([tombstone('a'), tombstone('new'), record('b'), tombstone('both')]);
    await live.table.add(record('a'));
    await live.put(tombstone('b'));
    await live.put({ ...tombstone('both'), erasedAt: 'before' });

    const { stdout, code } = await restore(folder, '--from', '2026-11-21');

    expect([stdout.split('\n').at(-2), code]).toEqual([
      '0 added, 0 changed, 1 unchanged, 2 erased, as in the exports, 1 not selected.',
      0,
    ]);
    expect((await restore(folder)).stdout).toContain(
      '3 unchanged, 1 not restored, because they were erased.\n',
    );
    expect(await items()).toEqual(
      new Map([
        ...['a', 'new', 'b'].map((sessionId): [string, object] => [sessionId, tombstone(sessionId)]),
        ['both', { ...tombstone('both'), erasedAt: 'before' }],
      ]),
    );
  });

  it('names what is not a session record or does not fit into one, restores the rest, and exits with 1', async () => {
    const long = (day: string) => record('+6591178965', day, { note: 'x'.repeat(210_000) });
    const { digest: _, ...damaged } = record('damaged');
    const folder = await exportOf([record('a'), damaged, long('2026-11-21')]);
    addIncrementOf(
      [...['sessionId', 'orderId'].map((key) => JSON.stringify({ Keys: { [key]: { S: '1' } } })), 'garbage'],
      { folder, from: '2026-11-21T02:00:00Z', to: '2026-11-22T02:00:00Z' },
    );
    await live.table.add(long('2026-11-20'));

    const { stdout, code } = await restore(folder);

    expect(code).toBe(1);
    expect(stdout).toContain('\n1 added, 0 changed, 0 unchanged, 4 failed.\n');
    expect(stdout).toMatch(
      /^FAIL {3}item {10}The item of session damaged is not a session record\. Missing or malformed: digest: \S+, line 1$/m,
    );
    expect(stdout).toMatch(/^FAIL {3}item {10}With the exported summaries, .*400 KB: \S+, line 1$/m);
    expect(stdout.match(/^FAIL.*This is not a session record: \S+, line [23]$/gm)).toHaveLength(2);
    expect(stdout).not.toContain('6591178965');
    expect((await items()).get('+6591178965')).toHaveProperty('revision', 1);
  });

  it('refuses an export of another table', async () => {
    const folder = await exportOf([{ orderId: '1' }]);

    expect(await restore(folder)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        'contains no session records: it belongs to an export of another table',
      ),
    });
  });

  it('does not split a line at a line separator of Unicode', async () => {
    const folder = await exportOf([record('a', '2026-11-20', { note: '\u2028\r\u2029\u0085' })]);
    const [name = ''] = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith('.json.gz'),
    );
    expect(name).not.toBe('');

    expect((await restore(folder)).stdout).toContain('\n1 added, ');
  });
});

describe('restore with incremental exports', () => {
  const [FULL, FIRST, SECOND] = ['2026-11-21T02:00:00Z', '2026-11-22T02:00:00Z', '2026-11-23T02:00:00Z'];
  const change = (sessionId: string, newImage?: object) => ({
    sessionId,
    written: 1,
    oldImage: record(sessionId),
    ...(newImage && { newImage }),
  });

  async function chain(): Promise<string> {
    const folder = await exportOf([record('a'), record('b'), record('c')], { time: FULL });
    addIncrement(folder, FULL, FIRST, [
      change('a', record('a', '2026-11-21')),
      change('b'),
      change('d', record('d', '2026-11-21')),
    ]);
    addIncrement(folder, FIRST, SECOND, [change('d'), change('b', record('b', '2026-11-22')), change('c')]);
    return folder;
  }
  const endsOf = async () =>
    Object.fromEntries([...(await items())].map(([id, item]) => [id, String(item['endTime']).slice(0, 10)]));

  it('restores the last state of each session, and none that a change deletes', async () => {
    const { stdout, code } = await restore(await chain());

    expect([code, stdout]).toEqual([0, expect.stringContaining('From  3 exports of ')]);
    expect(await endsOf()).toEqual({ a: '2026-11-21', b: '2026-11-22' });
  });

  it('restores the state as of a time with the exports until then', async () => {
    const folder = await chain();

    const { stdout } = await restore(folder, '--as-of', '2026-11-23T01:59:59Z');

    expect(stdout).toContain(', as of 2026-11-22T02:00:00.000Z\n');
    expect(await endsOf()).toEqual({ a: '2026-11-21', c: '2026-11-20', d: '2026-11-21' });
    expect(await restore(folder, '--as-of', '2026-11-20T00:00:00Z')).toMatchObject({
      code: 1,
      stderr: `${folder} has no export until 2026-11-20T00:00:00.000Z: the first one is of 2026-11-21T02:00:00.000Z.\n`,
    });
  });

  it('does not restore a session as of a time before it was erased', async () => {
    const folder = await exportOf([record('a'), record('b'), record('c')], { time: FULL });
    addIncrement(folder, FULL, FIRST, [change('a', tombstone('a'))]);
    await exportOf([tombstone('a'), tombstone('b'), record('c')], { folder, time: SECOND });

    expect((await restore(folder, '--as-of', FULL)).stdout).toContain(
      '\n1 added, 0 changed, 0 unchanged, 2 erased, as in the exports.\n',
    );
    expect(await endsOf()).toEqual({ a: 'undefined', b: 'undefined', c: '2026-11-20' });
  });

  it('fails if an export is broken that the state as of the time needs, although the newest state does not', async () => {
    const folder = await exportOf([record('a')], { time: FULL });
    addIncrement(folder, FULL, FIRST, [change('b', record('b'))]);
    for (const name of readdirSync(join(folder, 'AWSDynamoDB/data')))
      rmSync(join(folder, 'AWSDynamoDB/data', name));
    await exportOf([record('c')], { folder, time: SECOND });

    expect(await restore(folder, '--as-of', FIRST)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^The data file .* is missing\. Fetch it again\.\n$/),
    });
    expect(await restore(folder)).toMatchObject({ code: 0 });
    expect(await endsOf()).toEqual({ c: '2026-11-20' });
  });

  it('fetches from S3 only what the state as of the time and the newest tombstones need', async () => {
    const emulator = buildApp({ logger: false });
    onTestFinished(() => emulator.close());
    const s3Endpoint = await emulator.listen({ port: 0, host: '127.0.0.1' });
    const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };
    const s3 = new S3Client({ endpoint: s3Endpoint, region: 'us-east-1', credentials, forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: 'exported' }));
    for (const [time, one] of [
      ['2026-11-07T02:00:00Z', record('before')],
      ['2026-11-14T02:00:00Z', record('a')],
      ['2026-11-21T02:00:00Z', tombstone('a')],
      ['2026-11-28T02:00:00Z', record('after')],
    ] as const)
      await upload(
        s3,
        await exportOf([one, tombstone('b')], { time }),
        `s3://exported/exports/${time.slice(0, 13)}Z`,
      );
    const env = { AWS_ENDPOINT_URL_S3: s3Endpoint, XDG_CACHE_HOME: newFolder() };
    const asOf = ['--as-of', '2026-11-15T00:00:00Z', '--yes'];

    const { stdout, stderr } = await restoreWith('s3://exported/exports', asOf, { env });

    expect(stdout).toContain(', as of 2026-11-14T02:00:00.000Z\n');
    expect(await endsOf()).toEqual({ a: '2026-11-20', b: 'undefined' });
    // Of two exports.
    expect(stderr).toMatch(/^Fetching 16 objects, /);
  });

  it('reports a gap between the exports', async () => {
    const folder = await exportOf([record('a')], { time: FULL });
    addIncrement(folder, FIRST, SECOND, [change('b', record('b'))]);

    expect(await restore(folder)).toMatchObject({
      code: 0,
      stderr:
        'No export contains the changes from 2026-11-21T02:00:00.000Z to 2026-11-22T02:00:00.000Z: they are missing.\n',
    });
  });

  it('restores data files without a manifest, whose number of items is unknown', async () => {
    const folder = await exportOf([record('a')]);
    for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
      if (path.includes('manifest')) rmSync(join(folder, path));
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.gz'))
      .map((path) => join(folder, path));
    for (const file of files) writeFileSync(file, gunzipSync(readFileSync(file)));

    const { stdout, code } = await restore(folder);

    expect([code, stdout]).toEqual([0, expect.stringContaining('\nSize  an unknown number of items\n')]);
    expect(await endsOf()).toEqual({ a: '2026-11-20' });
  });
});

describe('the options of restore', () => {
  it('--session restores only these sessions, and names those that it does not find', async () => {
    const folder = await exportOf([record('a'), record('b'), tombstone('c')]);

    const { stdout, code } = await restore(folder, '--session', 'a', '--session', 'none');

    expect([stdout.split('\n').slice(-3), code]).toEqual([
      ['1 added, 0 changed, 0 unchanged.', 'FAIL   not found     none', ''],
      1,
    ]);
    expect([...(await items()).keys()]).toEqual(['a']);
  });

  it('--from and --to restore the sessions that ended on these days, or else were received', async () => {
    const folder = await exportOf([
      ...['2026-11-19', '2026-11-20', '2026-11-21', '2026-11-22'].map((day) => record(day, day)),
      record('without-end', '2026-11-21', { endTime: undefined }),
    ]);

    const { stdout, code } = await restore(folder, '--from', '2026-11-20', '--to', '2026-11-21');

    expect([stdout.split('\n').at(-2), code]).toEqual([
      '3 added, 0 changed, 0 unchanged, 2 not selected.',
      0,
    ]);
    expect([...(await items()).keys()].toSorted()).toEqual(['2026-11-20', '2026-11-21', 'without-end']);
  });

  it('--dry-run counts what would change, with its price, and changes nothing', async () => {
    const failed = { sessionStatus: 'FAILED' };
    const many = Array.from({ length: 20 }, (_, i) => record(`new-${i}`, '2026-11-20', failed));
    const folder = await exportOf([...many, record('a'), record('b'), tombstone('c'), tombstone('d')]);
    await live.table.add(record('a'));
    await live.table.add(record('b', '2026-11-22'));
    await live.put(tombstone('d'));
    const before = await items();

    const { stdout, code } = await restore(folder, '--dry-run');

    expect(stdout).toContain('\nSize  24 items, at least 0 s\n');
    expect(stdout.split('\n').slice(-3)).toEqual([
      '20 added, 1 changed, 2 unchanged, 1 erased, as in the exports.',
      'Nothing was changed (--dry-run). A restore would cost about $0.00 (24 reads, 58 write units).',
      '',
    ]);
    expect(code).toBe(0);
    expect(await items()).toEqual(before);
  });

  it('only shows what it would restore if there is neither a terminal nor --yes', async () => {
    const { stdout, stderr, code } = await restoreWith(await exportOf([record('a')]), []);

    expect(stdout).toContain('\nSize  1 item, ');
    expect([stderr, code]).toEqual([
      'Nothing was changed: confirmation needs a terminal. Add --yes to skip the confirmation.\n',
      2,
    ]);
    expect(await items()).toEqual(new Map());
  });

  it.each([
    [[], 'Missing EXPORT: expected a folder or s3://BUCKET/PREFIX. See: npx vss-webhook restore --help\n'],
    [['a', 'b'], 'Unexpected argument "b". See: npx vss-webhook restore --help\n'],
    [
      ['a', '--as-of', '2026-11-21'],
      'Invalid --as-of "2026-11-21": expected a time in UTC such as 2026-11-01T02:00:00Z\n',
    ],
    [
      ['a', '--as-of', '2026-02-30T00:00:00Z'],
      'Invalid --as-of "2026-02-30T00:00:00Z": expected a time in UTC such as 2026-11-01T02:00:00Z\n',
    ],
    [
      ['a', '--from', '2026-02-30'],
      'Invalid --from "2026-02-30": expected a day such as 2026-11-01, yesterday, or 7d for seven days ago\n',
    ],
    [['a', '--from', '2026-11-02', '--to', '2026-11-01'], '--from 2026-11-02 is after --to 2026-11-01.\n'],
    [['a', '--rate', '0'], 'Invalid --rate "0": expected a number greater than 0\n'],
  ])('rejects %j', async (args, message) => {
    expect(await vssWebhook(['restore', ...args])).toEqual({ stdout: '', stderr: message, code: 2 });
  });
});

describe('an interrupted restore', () => {
  it('stops, exits with 130, and is completed by the same command', async () => {
    const folder = await exportOf([record('a'), record('b')]);

    expect(await restoreWith(folder, ['--yes'], { interrupted: AbortSignal.abort() })).toMatchObject({
      code: 130,
      stderr: 'Interrupted. Run the same command again: what is restored already stays unchanged.\n',
    });
    expect(await items()).toEqual(new Map());
    expect((await restore(folder)).stdout).toContain('\n2 added, ');
  });
});
