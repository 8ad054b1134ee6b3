import { EventEmitter, once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import * as v from 'valibot';
import { REGION } from './template.ts';

const Item = v.record(v.string(), v.looseObject({}));
type Item = v.InferOutput<typeof Item>;

const PutRequest = v.pipe(v.string(), v.parseJson(), v.object({ TableName: v.string(), Item }));
const DeleteRequest = v.pipe(v.string(), v.parseJson(), v.object({ TableName: v.string(), Key: Item }));

/** A change of an item, as a pipe receives it. */
export interface StreamRecord {
  eventID: string;
  eventName: 'INSERT' | 'MODIFY' | 'REMOVE';
  eventVersion: string;
  eventSource: string;
  awsRegion: string;
  eventSourceARN: string;
  dynamodb: {
    /** Seconds since 1970. */
    ApproximateCreationDateTime: number;
    Keys: Item;
    NewImage?: Item;
    SequenceNumber: string;
    SizeBytes: number;
    StreamViewType: 'NEW_IMAGE';
  };
}

/** No table has the stream. */
export class StreamNotFoundError extends Error {
  override name = 'StreamNotFoundError';
}

/** The stream of a table: one shard, which keeps every record. */
class TableStream {
  readonly arn: string;
  readonly records: StreamRecord[] = [];
  readonly #keyNames: readonly string[];
  readonly #images = new Map<string, string>();
  /** How many records the reader has processed. */
  #read = 0;
  readonly #emitter = new EventEmitter();

  constructor(arn: string, keyNames: readonly string[]) {
    this.arn = arn;
    this.#keyNames = keyNames;
  }

  put(item: Item): void {
    const keys = Object.fromEntries(this.#keyNames.map((name) => [name, item[name] ?? {}]));
    const [key, image] = [JSON.stringify(keys), JSON.stringify(item)];
    const before = this.#images.get(key);
    // DynamoDB adds no record for a write that changes nothing.
    if (before === image) return;
    this.#images.set(key, image);
    this.#add(before === undefined ? 'INSERT' : 'MODIFY', keys, item);
  }

  delete(keys: Item): void {
    if (this.#images.delete(JSON.stringify(keys))) this.#add('REMOVE', keys);
  }

  /** Yields every record to its one reader, and waits for further ones until the signal aborts. */
  async *read(signal: AbortSignal): AsyncGenerator<StreamRecord> {
    while (!signal.aborted) {
      const record = this.records[this.#read];
      if (record === undefined) {
        await once(this.#emitter, 'added', { signal }).catch(() => {});
      } else {
        yield record;
        this.#read++;
        this.#emitter.emit('read');
      }
    }
  }

  /** Resolves when the reader has processed every record. */
  async isRead(): Promise<void> {
    while (this.#read < this.records.length) await once(this.#emitter, 'read');
  }

  #add(eventName: StreamRecord['eventName'], Keys: Item, NewImage?: Item): void {
    const number = String(this.records.length + 1);
    this.records.push({
      eventID: number.padStart(32, '0'),
      eventName,
      eventVersion: '1.1',
      eventSource: 'aws:dynamodb',
      awsRegion: REGION,
      eventSourceARN: this.arn,
      dynamodb: {
        ApproximateCreationDateTime: Date.now() / 1_000,
        Keys,
        ...(NewImage && { NewImage }),
        SequenceNumber: number.padStart(21, '0'),
        SizeBytes: JSON.stringify(NewImage ?? Keys).length,
        StreamViewType: 'NEW_IMAGE',
      },
    });
    this.#emitter.emit('added');
  }
}

const IteratorRequest = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    StreamArn: v.string(),
    ShardIteratorType: v.literal('AT_SEQUENCE_NUMBER'),
    SequenceNumber: v.string(),
  }),
);
const RecordsRequest = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({ ShardIterator: v.string(), Limit: v.optional(v.number(), 1_000) }),
);

/**
 * The streams of the tables. dynalite has none, so they are derived from the requests that it answers with 200: PutItem
 * and DeleteItem, which are all that this project sends. Writes by other operations are not in the stream.
 */
export class TableStreams {
  readonly #byTable = new Map<string, TableStream>();
  /** The writes that dynalite has not answered yet. Their items may be readable already. */
  readonly #pending = new Set<Promise<void>>();

  /** Enables the stream of a table. */
  enable(tableName: string, arn: string, keyNames: readonly string[]): void {
    this.#byTable.set(tableName, new TableStream(arn, keyNames));
  }

  /** Finds a stream. @throws StreamNotFoundError */
  find(arn: string): TableStream {
    const found = [...this.#byTable.values()].find((stream) => stream.arn === arn);
    if (!found) throw new StreamNotFoundError(`No table has the stream ${arn}`);
    return found;
  }

  /** Derives the record of a write, at the moment at which dynalite answers it. */
  observe(operation: string, request: IncomingMessage, response: ServerResponse): void {
    const note = this.#byTable.size > 0 ? OBSERVED[operation] : undefined;
    if (!note) return;
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    const answered = Promise.withResolvers<void>();
    this.#pending.add(answered.promise);
    response.end = new Proxy(response.end, {
      apply: (end, self, args) => {
        if (response.statusCode === 200) note(this.#byTable, Buffer.concat(chunks).toString());
        this.#pending.delete(answered.promise);
        answered.resolve();
        return Reflect.apply(end, self, args);
      },
    });
  }

  /** Resolves when the readers have processed every write whose item can be read. */
  async areRead(): Promise<void> {
    await Promise.all(this.#pending);
    for (const stream of this.#byTable.values()) await stream.isRead();
  }

  /** The requests of DynamoDB Streams that `npx vss-webhook redrive` sends. */
  readonly requests: Readonly<Record<string, (body: string) => object>> = {
    GetShardIterator: (body) => {
      const { StreamArn, SequenceNumber } = v.parse(IteratorRequest, body);
      return { ShardIterator: JSON.stringify([this.find(StreamArn).arn, SequenceNumber]) };
    },
    GetRecords: (body) => {
      const { ShardIterator, Limit } = v.parse(RecordsRequest, body);
      const [arn, from] = v.parse(v.tuple([v.string(), v.string()]), JSON.parse(ShardIterator));
      const { records } = this.find(arn);
      return {
        Records: records.filter(({ dynamodb }) => dynamodb.SequenceNumber >= from).slice(0, Limit),
      };
    },
  };
}

/** The observed writes. The only UpdateItem of this project marks an erased session, of which no event tells. */
const OBSERVED: Readonly<Record<string, (streams: ReadonlyMap<string, TableStream>, body: string) => void>> =
  {
    PutItem(streams, body) {
      const { TableName, Item } = v.parse(PutRequest, body);
      streams.get(TableName)?.put(Item);
    },
    DeleteItem(streams, body) {
      const { TableName, Key } = v.parse(DeleteRequest, body);
      streams.get(TableName)?.delete(Key);
    },
  };
