import {
  type DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type _Record as StreamRecord,
  TrimmedDataAccessException,
} from '@aws-sdk/client-dynamodb-streams';
import type { Message } from '@aws-sdk/client-sqs';
import * as v from 'valibot';

/** A message of the pipe's dead-letter queue: where in the stream the change is whose event was given up. */
export interface FailedEvent {
  messageId: string;
  receiptHandle: string;
  /** Undefined if the message is not from the pipe. */
  position: Position | undefined;
}

const Position = v.object({
  streamArn: v.string(),
  shardId: v.string(),
  startSequenceNumber: v.pipe(v.string(), v.digits()),
  endSequenceNumber: v.pipe(v.string(), v.digits()),
  approximateArrivalOfFirstRecord: v.pipe(v.string(), v.isoTimestamp()),
});
type Position = v.InferOutput<typeof Position>;

/** @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-error-troubleshooting.html */
const Body = v.pipe(v.string(), v.parseJson(), v.object({ DDBStreamBatchInfo: Position }));

export function toFailedEvent({ MessageId = '', ReceiptHandle = '', Body: body }: Message): FailedEvent {
  const parsed = v.safeParse(Body, body);
  return {
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    position: parsed.success ? parsed.output.DDBStreamBatchInfo : undefined,
  };
}

/** Reads the changes at a position of a stream; undefined if the stream does not have all of them. */
export async function recordsAt(
  streams: DynamoDBStreamsClient,
  { streamArn, shardId, startSequenceNumber, endSequenceNumber }: Position,
): Promise<StreamRecord[] | undefined> {
  const end = BigInt(endSequenceNumber);
  const found: StreamRecord[] = [];
  try {
    let { ShardIterator: next } = await streams.send(
      new GetShardIteratorCommand({
        StreamArn: streamArn,
        ShardId: shardId,
        ShardIteratorType: 'AT_SEQUENCE_NUMBER',
        SequenceNumber: startSequenceNumber,
      }),
    );
    while (next !== undefined) {
      const { Records = [], NextShardIterator } = await streams.send(
        // The pipe has batches of one record, so the first one is usually all.
        new GetRecordsCommand({ ShardIterator: next, Limit: 10 }),
      );
      for (const record of Records) {
        const number = BigInt(record.dynamodb?.SequenceNumber ?? 0);
        if (number <= end) found.push(record);
        if (number >= end) return found.length > 0 ? found : undefined;
      }
      next = NextShardIterator;
    }
    return undefined;
  } catch (error) {
    if (error instanceof TrimmedDataAccessException) return undefined;
    // The stream was disabled, or its shard is older than 24 hours.
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}
