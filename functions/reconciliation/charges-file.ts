import { once } from 'node:events';
import { closeSync, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { copyOf } from '../log-export/canonical-id.ts';
import type { LegRow } from '../log-export/leg-row.ts';
import { temporaryFile } from '../log-export/temporary-file.ts';
import { keyPart, type Objects } from './bucket.ts';
import { type Day, dayOf } from './day.ts';

/**
 * The rows of one day of a sub-account, from which analysts see what calls cost: gzipped JSON lines. A row belongs to
 * the day on which its leg was initiated, so each leg is in exactly one object, however often the day is exported.
 */
export interface ChargesFile extends AsyncDisposable {
  /** Adds a row if it belongs to the day. */
  add(row: LegRow): Promise<void>;
  /**
   * Replaces the object of the day, unless the stored one has rows of more legs: 8x8 may have deleted some of what it had.
   * Returns how many more.
   */
  store(): Promise<number>;
}

/** Lines are compressed in blocks of this many characters. One by one, the whole comparison takes a fifth more CPU time. */
const WRITTEN_LENGTH = 65_536;

export function chargesFile(objects: Objects, subAccountId: string, day: Day): ChargesFile {
  const key = `charges/${day}/${keyPart(subAccountId)}.json.gz`;
  const file = temporaryFile();
  const gzip = createGzip();
  const written = pipeline(gzip, createWriteStream('', { fd: file, autoClose: false }));
  // `add` and `store` report the error. Until then it must not be an unhandled rejection.
  written.catch(() => {});
  /** A row may be exported several times, so that their number says nothing about an export without copies. */
  const legs = new Set<string>();
  let lines = '';
  return {
    async add(row) {
      if (dayOf(row.InitiatedAt) !== day) return;
      legs.add(copyOf(`${row.SessionId} ${row.CallId}`));
      lines += `${JSON.stringify(row)}\n`;
      if (lines.length < WRITTEN_LENGTH) return;
      const hasRoom = gzip.write(lines);
      lines = '';
      if (!hasRoom) await Promise.race([once(gzip, 'drain'), written]);
    },
    async store() {
      gzip.end(lines);
      await written;
      const more = (await objects.rowsOf(key)) - legs.size;
      if (more <= 0 && legs.size > 0) await objects.writeRows(key, file, legs.size);
      return Math.max(more, 0);
    },
    /** Closes the local file, which deletes it. */
    async [Symbol.asyncDispose]() {
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
