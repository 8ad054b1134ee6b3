import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { buildApp } from 'fauxqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newRecord, receivedSummary } from '../../../functions/vss/record.ts';
import { CHARGE_VIEWS } from '../../../infra/analytics/charges/charge-views.ts';
import { summaryBody, summaryOf } from '../../functions/summaries.ts';
import { chargeRow, writeCharges } from '../analytics/charged.ts';
import { ask, exportOf, newFolder } from '../analytics/exported.ts';
import { vssWebhook } from './vss-webhook.ts';

const query = (args: readonly string[], env: NodeJS.ProcessEnv = process.env) =>
  vssWebhook(['query', ...args], { env });
const records = [
  newRecord(receivedSummary(summaryOf(summaryBody({ sessionId: 'a' })), '2026-01-13T10:00:00.000Z')),
];
const PRICES = 'SELECT session_id, total_price FROM call_charges';

describe('npx vss-webhook query with charges', () => {
  const emulator = buildApp({ logger: false });
  const cache = newFolder();
  let env: NodeJS.ProcessEnv;
  let s3: S3Client;
  beforeAll(async () => {
    const endpoint = await emulator.listen({ port: 0, host: '127.0.0.1' });
    const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };
    s3 = new S3Client({ endpoint, region: 'us-east-1', credentials, forcePathStyle: true });
    env = {
      ...process.env,
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'any',
      AWS_SECRET_ACCESS_KEY: 'any',
      XDG_CACHE_HOME: cache,
    };
    await s3.send(new CreateBucketCommand({ Bucket: 'exported' }));
    const put = (Key: string, Body: Buffer | string) =>
      s3.send(new PutObjectCommand({ Bucket: 'exported', Key, Body }));
    const folder = await exportOf(records);
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile()) await put(`exports/2026-11-21T02Z/${relative(folder, path)}`, readFileSync(path));
    }
    const charges = writeCharges(newFolder(), { rows: [chargeRow('a', '1')] });
    await put('charges/2026-01-13/8x8_test.json.gz', readFileSync(charges));
    await put('results/a.csv', 'a');
    await put('reconciliation/state/8x8_test.json', '{}');
  });
  afterAll(async () => {
    s3.destroy();
    await emulator.close();
  });
  const cached = () =>
    readdirSync(cache, { recursive: true, encoding: 'utf8' })
      .filter((path) => /charges.*gz$|csv$|8x8_test\.json$/.test(path))
      .map((path) => path.replace(/^vss-webhook\/exported\/[^/]*\//, ''));
  const charged = '  session_id  total_price\n  a           0.012\n';

  it.each([['s3://exported'], ['s3://exported/'], ['s3://exported/exports'], ['s3://exported/exports/']])(
    'reads exports and charges, and nothing else, from %s',
    async (source) => {
      expect(await query([source, PRICES], env)).toMatchObject({ code: 0, stdout: charged });
      expect(new Set(cached())).toEqual(new Set(['charges/2026-01-13/8x8_test.json.gz']));
    },
  );

  it('reads no charges with a single export', async () => {
    expect(await query(['s3://exported/exports/2026-11-21T02Z', PRICES], env)).toMatchObject({
      code: 0,
      stdout: '  session_id  total_price\n',
      stderr: expect.stringContaining('Found no charges in s3://exported/exports/2026-11-21T02Z: '),
    });
  });

  it('fetches charges only for a query that needs them, and deletes them when they expired', async () => {
    const own = { ...env, XDG_CACHE_HOME: newFolder() };
    const filesIn = () =>
      readdirSync(own.XDG_CACHE_HOME, { recursive: true, encoding: 'utf8' }).filter((path) =>
        path.endsWith('8x8_test.json.gz'),
      );

    await query(['s3://exported/exports', 'outcomes-by-day'], own);
    expect(filesIn()).toEqual([]);
    expect((await query(['s3://exported/exports', 'cost-by-product'], own)).stderr).toMatch(
      /^Fetching 1 object,/,
    );
    expect((await query(['s3://exported/exports', 'outcomes-by-day'], own)).stderr).toBe('1 row\n');
    expect(filesIn()).toHaveLength(1);
    await s3.send(
      new DeleteObjectCommand({ Bucket: 'exported', Key: 'charges/2026-01-13/8x8_test.json.gz' }),
    );
    await query(['s3://exported/exports', 'outcomes-by-day'], own);
    expect(filesIn()).toEqual([]);
  });

  it('says where it expected charges, if a query needs them and there are none', async () => {
    const folder = await exportOf(records);
    const notice = `Found no charges in ${folder}: expected charges/DAY/SUBACCOUNT.json.gz in it or, if it is named exports, beside it.\n`;

    expect((await query([folder, 'cost-by-product'])).stderr).toBe(`${notice}0 rows\n`);
    expect((await query([folder, 'outcomes-by-day'])).stderr).toBe('1 row\n');
    writeCharges(folder, { rows: [chargeRow('a', '1')] });
    expect((await query([folder, 'cost-by-product'])).stderr).toBe('1 row\n');
  });

  it('prints decimals without trailing zeros in a table, and in full in a file', async () => {
    const folder = await exportOf(records);
    const prices = ['0.012000000000', '10', '-0.5', '0', '0.000000000001'];
    writeCharges(folder, {
      rows: prices.map((TotalPriceOfCall, i) => chargeRow('a', String(i), { TotalPriceOfCall })),
    });
    const sql = 'SELECT total_price, 100::DECIMAL(9, 0) AS hundred FROM call_charges ORDER BY call_id';
    const inFormat = async (format: string) => (await query([folder, sql, '--format', format])).stdout;
    const printed = ['0.012', '10', '-0.5', '0', '0.000000000001'];

    expect((await inFormat('table')).trim().split(/\s+/)).toEqual([
      'total_price',
      'hundred',
      ...printed.flatMap((price) => [price, '100']),
    ]);
    expect(await inFormat('vertical')).toBe(
      `${printed.map((price) => `  total_price  ${price}\n  hundred      100`).join('\n\n')}\n`,
    );
    expect(await inFormat('csv')).toBe(
      'total_price,hundred\n0.012000000000,100\n10.000000000000,100\n-0.500000000000,100\n0.000000000000,100\n0.000000000001,100\n',
    );
  });

  it('writes the views of charges to a database and to files, if there are charges', async () => {
    const names = CHARGE_VIEWS.map(({ name }) => name);
    const written = async (folder: string) => {
      const out = newFolder();
      const database = join(out, 'sessions.duckdb');
      await query([folder, '--database', database]);
      await query([folder, '--all', '--out', out]);
      const { rows } = await ask(folder, {
        attach: `ATTACH '${database}' AS written (READ_ONLY)`,
        tables:
          "SELECT table_name FROM duckdb_tables() WHERE database_name = 'written' AND table_name LIKE '%charge%'",
      });
      const files = readdirSync(out).filter((name) => name.includes('charge'));
      return { tables: rows('tables').map((row) => row['table_name']), files };
    };
    const folder = await exportOf(records);

    expect(await written(folder)).toEqual({ tables: [], files: [] });
    writeCharges(folder, { rows: [chargeRow('a', '1')] });
    const { tables, files } = await written(folder);
    expect(tables.toSorted()).toEqual(names.toSorted());
    expect(files.toSorted()).toEqual(names.map((name) => `${name}.parquet`).toSorted());
  });
});
