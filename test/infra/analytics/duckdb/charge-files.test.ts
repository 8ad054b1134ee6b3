import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { newRecord, receivedSummary } from '../../../../functions/vss/record.ts';
import { summaryBody, summaryOf } from '../../../functions/summaries.ts';
import { chargeRow, writeCharges } from '../charged.ts';
import { ask, exportOf, newFolder } from '../exported.ts';

const sql = 'SELECT session_id FROM call_charges ORDER BY 1';
const chargedIn = async (folder: string) => {
  const { rows, notices } = await ask(folder, { sql });
  return { sessions: rows('sql').map((row) => row['session_id']), notices };
};
const REMEDY =
  'Fetch it again. If it is damaged in the bucket too, npx vss-webhook reconcile --again replaces it.';
const records = [newRecord(receivedSummary(summaryOf(summaryBody()), '2026-01-13T10:00:00.000Z'))];

describe('the charges of a folder of exports', () => {
  it('are in its subfolder "charges", or beside a folder "exports"', async () => {
    const bucket = newFolder();
    mkdirSync(join(bucket, 'exports'));
    cpSync(await exportOf(records), join(bucket, 'exports'), { recursive: true });
    writeCharges(bucket, { rows: [chargeRow('beside', '1')] });

    expect((await chargedIn(bucket)).sessions).toEqual(['beside']);
    expect((await chargedIn(join(bucket, 'exports'))).sessions).toEqual(['beside']);
    expect((await chargedIn(`${bucket}/exports/`)).sessions).toEqual(['beside']);
    writeCharges(join(bucket, 'exports'), { rows: [chargeRow('inside', '1')] });
    expect((await chargedIn(join(bucket, 'exports'))).sessions).toEqual(['inside']);
    renameSync(join(bucket, 'exports'), join(bucket, 'copy'));
    rmSync(join(bucket, 'copy', 'charges'), { recursive: true });
    expect((await chargedIn(join(bucket, 'copy'))).sessions).toEqual([]);
  });

  it('are not mistaken for data files of an export without a manifest', async () => {
    const folder = newFolder();
    mkdirSync(join(folder, 'data'));
    writeFileSync(
      join(folder, 'data', 'a.json'),
      '{"Item":{"sessionId":{"S":"a"},"digest":{"S":"d"},"subAccountId":{"S":"b"}}}\n',
    );
    writeCharges(folder, { rows: [chargeRow('a', '1')] });
    for (const other of ['reconciliation', 'results']) {
      mkdirSync(join(folder, other));
      writeFileSync(join(folder, other, 'a.json'), '{"state":1}\n');
    }

    expect((await chargedIn(folder)).sessions).toEqual(['a']);
  });

  it('are read from decompressed files too, but not from other files', async () => {
    const folder = await exportOf(records);
    const path = writeCharges(folder, { rows: [chargeRow('a', '1')] });
    writeFileSync(path.replace(/\.gz$/, ''), gunzipSync(readFileSync(path)));
    rmSync(path);
    writeCharges(folder, { day: 'some-day', rows: [chargeRow('b', '1')] });
    writeFileSync(join(dirname(path), 'a.json.gz.123.part'), 'incomplete');
    writeFileSync(join(dirname(path), '._a.json.gz'), 'metadata');

    expect(await chargedIn(folder)).toEqual({ sessions: ['a'], notices: [] });
  });

  it('are complete if a text in them has line separators of Unicode', async () => {
    const folder = await exportOf(records);
    writeCharges(folder, { rows: [{ ...chargeRow('a', '1'), Country: 'Singa\u2028pore\u2029' }] });

    expect(await chargedIn(folder)).toEqual({ sessions: ['a'], notices: [] });
  });

  it('are left out with a notice if a file is empty, truncated or damaged', async () => {
    const folder = await exportOf(records);
    const rows = Array.from({ length: 2_000 }, (_, i) => chargeRow(`session-${Math.sin(i)}`, String(i)));
    writeCharges(folder, { subAccountId: 'whole', rows: [chargeRow('a', '1')] });
    truncateSync(writeCharges(folder, { subAccountId: 'truncated', rows }), 10_000);
    truncateSync(writeCharges(folder, { subAccountId: 'empty', rows }), 0);
    const damaged = writeCharges(folder, { subAccountId: 'damaged', rows });
    const bytes = readFileSync(damaged);
    writeFileSync(damaged, bytes.fill(7, 5_000, 5_100));
    writeFileSync(
      writeCharges(folder, { subAccountId: 'noise', rows }),
      bytes.map((_, i) => Math.sin(i) * 256),
    );
    writeCharges(folder, { subAccountId: 'no-calls', rows: [] });
    const { sessions, notices } = await chargedIn(folder);

    expect(sessions).toEqual(['a']);
    expect(notices).toEqual(
      ['damaged', 'empty', 'noise', 'truncated'].map(
        (name) =>
          `Ignored the charges in charges/2026-01-13/${name}.json.gz: the file is empty, truncated or damaged. ${REMEDY}`,
      ),
    );
  });

  it('are left out with a notice if a line is not a JSON object', async () => {
    const folder = await exportOf(records);
    const path = writeCharges(folder, { rows: [] });
    const line = JSON.stringify(chargeRow('a', '1'));
    writeFileSync(
      path,
      gzipSync(
        `${line}\nnot JSON\n\n[1]\n${line}${line}\n${line.replaceAll('"a"', '"b"').replace('Singapore', 'Sing}{apore')}\n${line.slice(0, -9)}`,
      ),
    );

    expect(await chargedIn(folder)).toEqual({
      sessions: ['a', 'b'],
      notices: [
        `Ignored 4 of 6 lines of charges/2026-01-13/8x8_test.json.gz: they are not JSON objects. ${REMEDY}`,
      ],
    });
  });
});
