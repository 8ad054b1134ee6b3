import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import * as v from 'valibot';
import { isTombstone } from '../../../functions/recorder/tombstone.ts';
import { isJsonObject } from '../../../functions/vss/json.ts';
import { isCompressed } from '../../analytics/duckdb/data-file.ts';
import type { Export } from '../../analytics/duckdb/export.ts';
import { linesOf } from '../../analytics/duckdb/lines.ts';
import type { Newest } from '../../analytics/duckdb/newest-export.ts';

/** What the exports have of a session. */
export interface ExportedItem {
  /** Undefined if the line is not about a session. */
  sessionId: string | undefined;
  /** Undefined if the item was deleted. */
  item: Item | undefined;
  /** The file and the number of the line. */
  place: string;
}
type Item = Readonly<Record<string, AttributeValue>>;

/**
 * Reads the state of the table that exports show: the newest state of each session, in no order. Only the ids of
 * changed sessions are held in memory, so the changes are read first, and the newest ones before the others.
 *
 * @param newest The newest state that is known. Sessions that were erased later than the restored state stay erased.
 */
export async function* exportedItems(restored: Newest, newest: Newest): AsyncGenerator<ExportedItem> {
  const seen = new Set<string>();
  /** Whether the state of a session is not known yet. */
  function isFirst({ sessionId }: ExportedItem): boolean {
    if (sessionId === undefined) return true;
    const isNew = !seen.has(sessionId);
    seen.add(sessionId);
    return isNew;
  }

  const needed = new Set(exportsIn(restored));
  for (const later of exportsIn(newest).filter((each) => !needed.has(each)))
    for await (const one of itemsIn(later)) if (one.item && isTombstone(one.item) && isFirst(one)) yield one;
  for (const increment of restored.increments.toReversed())
    for await (const one of itemsIn(increment)) if (isFirst(one) && isPresent(one)) yield one;
  if (restored.full)
    for await (const one of itemsIn(restored.full)) if (!seen.has(one.sessionId ?? '')) yield one;
}

/** The exports that make up a state of the table. */
export function exportsIn({ full, increments }: Newest): Export[] {
  return full ? [full, ...increments] : [...increments];
}

/** Whether a line has an item, or is not about a session. */
const isPresent = ({ sessionId, item }: ExportedItem) => sessionId === undefined || item !== undefined;

async function* itemsIn({ files }: Export): AsyncGenerator<ExportedItem> {
  for (const { path } of files) {
    let number = 0;
    for await (const line of linesOf(bytesOf(path)))
      yield { ...itemOf(line), place: `${path}, line ${++number}` };
  }
}

const Image = v.optional(v.custom<Item>(isJsonObject));
/** A line of a full export has an Item, and one of an incremental export the Keys and, unless it is deleted, a NewImage. */
const Line = v.pipe(v.string(), v.parseJson(), v.object({ Item: Image, Keys: Image, NewImage: Image }));

function itemOf(line: string): Pick<ExportedItem, 'sessionId' | 'item'> {
  const { success, output } = v.safeParse(Line, line);
  if (!success) return { sessionId: undefined, item: undefined };
  const { Item, Keys, NewImage } = output;
  return { sessionId: (Item ?? Keys)?.['sessionId']?.S, item: Item ?? NewImage };
}

function bytesOf(path: string): AsyncIterable<Buffer> {
  const file = createReadStream(path);
  if (!isCompressed(path)) return file;
  const unzipped = createGunzip();
  // The reader of the stream gets the error.
  pipeline(file, unzipped).catch(() => {});
  return unzipped;
}
