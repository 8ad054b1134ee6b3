/** The beginning of a sequence of bytes, and all of it. */
export interface Peeked {
  /** Empty if there are no bytes. */
  head: Buffer;
  /** All bytes, including the head. Must be iterated, or closed with `close`. */
  all: AsyncIterable<Uint8Array>;
  close: () => Promise<unknown>;
}

/** Reads chunks until `isEnough` is true of one, or there are no more. */
export async function peek(
  chunks: AsyncIterable<Uint8Array>,
  isEnough: (chunk: Uint8Array) => boolean,
): Promise<Peeked> {
  const iterator = chunks[Symbol.asyncIterator]();
  const read: Uint8Array[] = [];
  for (;;) {
    const { done, value } = await iterator.next();
    if (done) break;
    read.push(value);
    if (isEnough(value)) break;
  }
  const head = Buffer.concat(read);
  return { head, all: joined(head, iterator), close: async () => iterator.return?.() };
}

async function* joined(head: Buffer, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (head.byteLength > 0) yield head;
    for (;;) {
      const { done, value } = await rest.next();
      if (done) return;
      yield value;
    }
  } finally {
    await rest.return?.();
  }
}
