import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { writeExport } from '../../../../infra/analytics/duckdb/write-export.ts';
import { newFolder, TABLE } from '../exported.ts';

const md5 = (content: Buffer) => createHash('md5').update(content).digest('base64');

it('writeExport writes the same files as DynamoDB, with consistent manifests and checksums', async () => {
  const folder = newFolder();
  const items = ['{"sessionId":{"S":"a"}}', '{"sessionId":{"S":"b"}}', '{"sessionId":{"S":"c"}}'];
  const time = Date.parse('2026-11-21T02:00:00.250Z');
  const { path, itemCount } = await writeExport(folder, { tableArn: TABLE, items, fileCount: 2, time });

  const id = relative(join(folder, 'AWSDynamoDB'), path);
  const read = (name: string) => readFileSync(join(path, name));
  expect(id).toMatch(/^01795226400250-[0-9a-f]{8}$/);
  expect(itemCount).toBe(3);
  expect(readdirSync(path).toSorted()).toEqual([
    '_started',
    'data',
    'manifest-files.json',
    'manifest-files.md5',
    'manifest-summary.json',
    'manifest-summary.md5',
  ]);
  expect(JSON.parse(read('manifest-summary.json').toString())).toMatchObject({
    version: '2020-06-30',
    exportArn: `${TABLE}/export/${id}`,
    tableArn: TABLE,
    exportTime: '2026-11-21T02:00:00.250Z',
    manifestFilesS3Key: `AWSDynamoDB/${id}/manifest-files.json`,
    itemCount: 3,
    outputFormat: 'DYNAMODB_JSON',
  });
  const files = read('manifest-files.json')
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const lines = files.flatMap(({ dataFileS3Key, md5Checksum, etag, itemCount: count }) => {
    expect(dataFileS3Key).toMatch(new RegExp(`^AWSDynamoDB/${id}/data/[0-9a-f]{32}\\.json\\.gz$`));
    const content = readFileSync(join(folder, dataFileS3Key));
    expect([md5Checksum, etag]).toEqual([
      md5(content),
      `${Buffer.from(md5Checksum, 'base64').toString('hex')}-1`,
    ]);
    const found = gunzipSync(content).toString().trimEnd().split('\n');
    expect(found).toHaveLength(count);
    return found;
  });
  expect(lines.toSorted()).toEqual(items.map((item) => `{"Item":${item}}`));
  for (const name of ['manifest-files', 'manifest-summary'])
    expect(read(`${name}.md5`).toString()).toBe(md5(read(`${name}.json`)));
});

it('writeExport rejects, without an unhandled rejection, when the folder is deleted while it writes', async () => {
  const folder = newFolder();
  function* items() {
    yield '{}';
    rmSync(join(folder, 'AWSDynamoDB'), { recursive: true });
    yield '{}';
  }

  await expect(
    writeExport(folder, { tableArn: TABLE, items: items(), fileCount: 2, time: 0 }),
  ).rejects.toThrow('ENOENT');
});
