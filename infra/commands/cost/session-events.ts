import type { Template } from '../../local/template.ts';
import { storageLines } from './estimate.ts';
import prices from './prices.json' with { type: 'json' };
import { count, type Line, propertiesOf } from './template-figures.ts';

/** What the attribute `event` adds to a record and its index: the means of the examples. */
export const ADDED = { recordBytes: 428, writeUnits: 4 / 7, indexWriteUnits: 2 / 3 };

/** The shards of a new on-demand table, which can write 4,000 units per second: one per thousand. */
export const SHARDS = 4;
/** EventBridge polls each shard four times per second. */
const POLLS_PER_MONTH = 4 * 30 * 86_400;

/**
 * The monthly cost of session events, each session changed once. AWS documents that reads of a stream are free only for
 * Lambda, so those of the pipe are included.
 *
 * @param unsuccessful Share of unsuccessful sessions, from 0 to 1.
 */
export function sessionEventsPerMonth(
  template: Template,
  { sessions, unsuccessful }: { sessions: number; unsuccessful: number },
): Line[] {
  const [pipe] = propertiesOf(template, 'AWS::Pipes::Pipe');
  if (!pipe) return [];
  const events = sessions * publishedShare(pipe, { unsuccessful });
  const writes = sessions * (ADDED.writeUnits + unsuccessful * ADDED.indexWriteUnits);
  const tableBytes = sessions * ADDED.recordBytes;
  const reads = SHARDS * POLLS_PER_MONTH;
  const { perMillion } = prices;
  const million = 1_000_000;
  return [
    ['EventBridge Pipes, events', count(events), (events / million) * perMillion.pipeRequests],
    ['EventBridge, custom events', count(events), (events / million) * perMillion.customEvents],
    ['DynamoDB, write units', count(writes), (writes / million) * perMillion.dynamodbWriteUnits],
    ...storageLines(tableBytes, tableBytes * unsuccessful),
    [`DynamoDB Streams, reads of ${SHARDS} shards`, count(reads), (reads / million) * perMillion.streamReads],
  ];
}

/** The share of the sessions whose changes a pipe publishes. */
export function publishedShare(
  pipe: Readonly<Record<string, unknown>>,
  { unsuccessful }: { unsuccessful: number },
): number {
  return JSON.stringify(pipe['SourceParameters']).includes('unsuccessful') ? unsuccessful : 1;
}
