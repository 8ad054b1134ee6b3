import { setTimeout } from 'node:timers/promises';
import {
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import * as v from 'valibot';
import type { Invocable } from './lambda.ts';
import { REGION } from './template.ts';

/** An event source mapping of a queue, as defined in the template. */
export interface EventSource {
  queueArn: string;
  queueUrl: string;
  batchSize: number;
  batchingWindowSeconds: number;
  target: Invocable;
}

const BatchResponse = v.nullish(
  v.object({ batchItemFailures: v.optional(v.array(v.object({ itemIdentifier: v.string() })), []) }),
);

/** Invokes a function with batches from a queue until the signal aborts, like Lambda with ReportBatchItemFailures. */
export async function pollQueue(
  sqs: SQSClient,
  source: EventSource,
  signal: AbortSignal,
  log: (line: string) => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const batch = await receiveBatch(sqs, source, signal);
      if (batch.length > 0) await processBatch(sqs, source, batch);
    } catch (error) {
      if (signal.aborted) return;
      // The function or SQS failed. Received messages are retried after their visibility timeout.
      log(
        `Event source mapping of ${source.queueArn} failed: ${error instanceof Error ? error.message : error}`,
      );
      await setTimeout(1_000);
    }
  }
}

/** Waits for the first message, then until the batch is full or the batching window closes. */
async function receiveBatch(sqs: SQSClient, source: EventSource, signal: AbortSignal): Promise<Message[]> {
  const batch = await receive(sqs, source, source.batchSize, 20, signal);
  const windowEnds = Date.now() + source.batchingWindowSeconds * 1000;
  while (batch.length > 0 && batch.length < source.batchSize && Date.now() < windowEnds) {
    const seconds = Math.ceil((windowEnds - Date.now()) / 1000);
    batch.push(...(await receive(sqs, source, source.batchSize - batch.length, seconds, signal)));
  }
  return batch;
}

async function receive(
  sqs: SQSClient,
  { queueUrl }: EventSource,
  count: number,
  waitSeconds: number,
  signal: AbortSignal,
): Promise<Message[]> {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: Math.min(count, 10),
      WaitTimeSeconds: waitSeconds,
      MessageSystemAttributeNames: ['All'],
      MessageAttributeNames: ['All'],
    }),
    { abortSignal: signal },
  );
  return Messages;
}

/** Deletes the messages that did not fail. The others reappear after the visibility timeout. */
async function processBatch(sqs: SQSClient, source: EventSource, batch: readonly Message[]): Promise<void> {
  const response = v.parse(
    BatchResponse,
    await source.target.invoke({ Records: batch.map((message) => toRecord(message, source)) }),
  );
  const failed = new Set(response?.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
  // Lambda treats an unknown id in the response as a failure of the whole batch.
  if ([...failed].some((id) => !batch.some(({ MessageId }) => MessageId === id))) return;
  const done = batch.filter(({ MessageId }) => MessageId !== undefined && !failed.has(MessageId));
  if (done.length === 0) return;
  await sqs.send(
    new DeleteMessageBatchCommand({
      QueueUrl: source.queueUrl,
      Entries: done.map(({ ReceiptHandle }, i) => ({ Id: String(i), ReceiptHandle })),
    }),
  );
}

/** Converts a message to a record of Lambda's SQS event. */
export function toRecord(message: Message, { queueArn }: Pick<EventSource, 'queueArn'>) {
  return {
    messageId: message.MessageId,
    receiptHandle: message.ReceiptHandle,
    body: message.Body,
    attributes: message.Attributes ?? {},
    messageAttributes: Object.fromEntries(
      Object.entries(message.MessageAttributes ?? {}).map(([name, { StringValue, DataType }]) => [
        name,
        { stringValue: StringValue, stringListValues: [], binaryListValues: [], dataType: DataType },
      ]),
    ),
    md5OfBody: message.MD5OfBody,
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn,
    awsRegion: REGION,
  };
}
