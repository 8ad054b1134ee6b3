import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, createWriteStream, openSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { LegRow } from '../log-export/leg-row.ts';
import { type Day, dayOf } from './day.ts';
import { keyPart, type Objects } from './objects.ts';

/**
 * The rows of one day of a sub-account, from which analysts see what calls cost: gzipped JSON lines. A row belongs to
 * the day on which its leg was initiated, so each leg is in exactly one object, however often the day is exported.
 */
export interface ChargesFile {
  /** Adds a row if it belongs to the day. */
  add(row: LegRow): Promise<void>;
  /** Replaces the object of the day, unless no row belongs to it: 8x8 may have deleted what it had. */
  store(): Promise<void>;
  /** Closes the local file, which deletes it. */
  dispose(): Promise<void>;
}

/** Lines are compressed in blocks of this many characters. One by one, the whole comparison takes a fifth more CPU time. */
const WRITTEN_LENGTH = 65_536;

export function chargesFile(objects: Objects, subAccountId: string, day: Day): ChargesFile {
  const path = join(tmpdir(), `charges-${randomUUID()}.json.gz`);
  const file = openSync(path, 'wx+');
  // Lambda keeps /tmp after a timeout. A file without a name is deleted with the process.
  unlinkSync(path);
  const gzip = createGzip();
  const written = pipeline(gzip, createWriteStream(path, { fd: file, autoClose: false }));
  // `add` and `store` report the error. Until then it must not be an unhandled rejection.
  written.catch(() => {});
  let isEmpty = true;
  let lines = '';
  return {
    async add(row) {
      if (dayOf(row.InitiatedAt) !== day) return;
      isEmpty = false;
      lines += `${JSON.stringify(row)}\n`;
      if (lines.length < WRITTEN_LENGTH) return;
      const hasRoom = gzip.write(lines);
      lines = '';
      if (!hasRoom) await Promise.race([once(gzip, 'drain'), written]);
    },
    async store() {
      gzip.end(lines);
      await written;
      if (isEmpty) return;
      await objects.writeFile(`charges/${day}/${keyPart(subAccountId)}.json.gz`, file);
    },
    async dispose() {
      gzip.end();
      // A stream that has failed has closed the file itself.
      const isIntact = await written.then(
        () => true,
        () => false,
      );
      if (isIntact) closeSync(file);
    },
  };
}
