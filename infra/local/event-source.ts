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

/** An event source mapping of a queue, as the template describes it. */
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

/** Polls a queue and invokes a function with batches until the signal, as Lambda does with ReportBatchItemFailures. */
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
      // The function failed as a whole, or the queue did. What was received is tried again when it is visible again.
      log(`Polling ${source.queueArn}: ${error instanceof Error ? error.message : error}`);
      await setTimeout(1_000);
    }
  }
}

/** Waits for a message, then for as many as fill the batch or as arrive within the window. */
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

/** Deletes what the function did not report as failed; the rest reappears after the visibility timeout. */
async function processBatch(sqs: SQSClient, source: EventSource, batch: readonly Message[]): Promise<void> {
  const response = v.parse(
    BatchResponse,
    await source.target.invoke({ Records: batch.map((message) => toRecord(message, source)) }),
  );
  const failed = new Set(response?.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
  // Lambda takes an answer with an id that it did not send for a failure of the whole batch.
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

/** A message as Lambda passes it on. */
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
