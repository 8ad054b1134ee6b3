import { type ApiAnswer, DroppedConnection } from './exchange.ts';
import { csvOf, inChunks } from './log-export-csv.ts';
import type { Row } from './log-export-rows.ts';
import type { LogExportSwitches } from './log-export-switches.ts';

/** Answers the download of a file, which is generated while it is sent. */
export function fileAnswer(
  rows: Iterable<Row>,
  { headers, content, cut }: LogExportSwitches,
  { isFirst }: { isFirst: boolean },
): ApiAnswer {
  const texts = content === undefined ? csvOf(rows, headers === 'every' || isFirst) : [content];
  const isCut = cut !== undefined && cut.downloads-- > 0;
  return {
    status: 200,
    headers: { 'Content-Type': 'text/csv' },
    content: cutAfter(inChunks(texts), isCut ? cut.after : Number.POSITIVE_INFINITY),
  };
}

/** Closes the connection after this number of bytes. @throws DroppedConnection */
async function* cutAfter(bytes: Iterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array> {
  let left = count;
  for (const chunk of bytes) {
    if (left > 0) yield chunk.subarray(0, left);
    left -= chunk.length;
    if (left < 0) throw new DroppedConnection();
  }
}
