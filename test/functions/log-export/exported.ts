import { type ReadRow, readRows } from '../../../functions/log-export/read-rows.ts';

/** A file of an export, in chunks of at most `size` bytes. */
export async function* inChunks(file: string | Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(file);
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

/** All rows of the sub-account `acme` of these years. */
export const SCOPE = {
  subAccountId: 'acme',
  from: '2002-01-01T00:00:00.000Z',
  to: '2199-12-31T23:59:59.999Z',
};

/** Reads the rows of an export. */
export async function rowsIn(files: readonly (string | Uint8Array)[], size = 65_536): Promise<ReadRow[]> {
  const rows: ReadRow[] = [];
  for await (const batch of readRows(
    files.map((file) => inChunks(file, size)),
    SCOPE,
  ))
    rows.push(...batch);
  return rows;
}
