import { hash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import * as v from 'valibot';
import { fromMessage, textOrBytes } from '../../functions/queue/message.ts';
import { readSummary } from '../../functions/vss/summary.ts';
import { MAX_BODY_BYTES } from '../../functions/webhook/receive.ts';
import { startLocalStack } from '../../infra/local/local-stack.ts';
import { type Call, type FaultProxy, faultProxy, visibilityRewrite } from '../faults/fault-proxy.ts';
import { queueDepth } from '../queue-depth.ts';
import type { Findings } from './findings.ts';

/** Small for small counts, because a slow machine does not answer many deliveries in time. */
const concurrencyFor = (count: number) => Math.min(16, Math.ceil(count / 80));

/** More retries than a slow machine needs. */
const MAX_REDELIVERIES = 100;

/** A request that takes this long hangs, even on a slow machine. */
const HANGING_MS = 600_000;

/** The relevant parts of a SendMessage call. */
const Sent = v.object({
  QueueUrl: v.string(),
  MessageBody: v.string(),
  MessageAttributes: v.record(v.string(), v.object({ StringValue: v.string() })),
});

/**
 * Delivers bodies to the local stack, and compares the responses and the messages in the queues with the HTTP contract.
 *
 * @param assembly Folder of the cloud assembly of the stage `local`. Default: synthesizes it.
 */
export async function deliverAll(
  bodies: IteratorObject<Buffer>,
  count: number,
  progress: (text: string) => void,
  assembly?: string,
): Promise<Findings> {
  const proxies: FaultProxy[] = [];
  /** The actual and the expected messages of the webhook, as `queue 3f0a…`. Sets, because a message may be sent twice. */
  const sent = new Set<string>();
  const expectedToBeSent = new Set<string>();
  let tooLarge = 0;
  /** The number of messages that both functions have sent to the dead-letter queue. */
  let sentToDeadLetters = 0;
  const stack = await startLocalStack({
    port: 0,
    log: () => {},
    ...(assembly !== undefined && { assembly }),
    concurrency: Math.min(4, Math.ceil(count / 100)),
    async between(_, endpoint) {
      const note = ({ operation, body }: Call) => {
        if (operation !== 'SendMessage') return undefined;
        const call = v.parse(Sent, JSON.parse(body.toString()));
        if (isDeadLetter(call)) sentToDeadLetters++;
        // This message is from the recorder, not from the webhook.
        if (call.MessageAttributes['reason']?.StringValue === 'record-too-large') tooLarge++;
        else sent.add(keyOf(call));
        return undefined;
      };
      // Messages that time out on a slow emulator are retried after seconds, not minutes.
      const proxy = await faultProxy(
        endpoint,
        note,
        visibilityRewrite((seconds) => Math.ceil(seconds / 60)),
      );
      proxies.push(proxy);
      return proxy.url;
    },
  });
  try {
    const { webhookUrl, authorization, outputs } = stack;
    const subAccountIds = outputs.SubAccountIds.split(',');
    const statuses = new Map<string, number>();
    const complaints: string[] = [];
    const left = bodies.take(count);
    let delivered = 0;
    const deliverSome = async () => {
      for (const body of left) {
        const expected = contractFor(body, subAccountIds);
        let status = 503;
        // On a slow machine, SQS may time out (503), or the function (502), and the sender must retry. A body that makes
        // the function fail each time is still answered 502 in the end.
        for (let attempt = 0; (status === 502 || status === 503) && attempt < MAX_REDELIVERIES; attempt++) {
          // With a scheme and without, because 8x8 does not document which.
          status = await statusOf(
            webhookUrl,
            delivered % 2 === 0 ? authorization : `Bearer ${authorization}`,
            body,
          );
          countUp(statuses, String(status));
        }
        if (expected.queue !== undefined)
          expectedToBeSent.add(`${expected.queue} ${digestOf(contentOf(body) ?? body)}`);
        if (status !== expected.status)
          complaints.push(
            `Answered ${status}, expected ${expected.status}: ${JSON.stringify(body.toString().slice(0, 200))}`,
          );
        if (++delivered % 10_000 === 0) progress(`${delivered} delivered`);
      }
    };
    await Promise.all(Array.from({ length: concurrencyFor(count) }, deliverSome));
    for (const message of sent.difference(expectedToBeSent))
      complaints.push(`Sent to a queue, but not expected: ${message}`);
    for (const message of expectedToBeSent.difference(sent))
      complaints.push(`Expected in a queue, but not sent: ${message}`);
    progress('waiting until the queue is empty');
    while ((await queueDepth(stack.sqs, stack.queueUrl)) > 0) await setTimeout(500);
    const deadLetters = await queueDepth(stack.sqs, stack.deadLetterQueueUrl);
    if (deadLetters !== sentToDeadLetters)
      complaints.push(`${sentToDeadLetters} dead letters were sent, but the queue contains ${deadLetters}`);
    return {
      table: [
        ['deliveries', delivered],
        ...[...statuses].toSorted().map(([status, number]) => [`  answered ${status}`, number] as const),
        ['  answered 200, but too large to record', tooLarge],
        ['violations of the HTTP contract', complaints.length],
      ],
      complaints,
    };
  } finally {
    await stack.stop();
    for (const proxy of proxies) await proxy.close();
  }
}

/** The decompressed body, or undefined if it is too large. */
function contentOf(body: Buffer): Buffer | undefined {
  if (!body.subarray(0, 2).equals(Buffer.from([0x1f, 0x8b]))) return body;
  try {
    const content = gunzipSync(body);
    return content.length > MAX_BODY_BYTES ? undefined : content;
  } catch {
    return body;
  }
}

async function statusOf(url: string, authorization: string, body: Buffer): Promise<number> {
  const signal = AbortSignal.timeout(HANGING_MS);
  const response = await fetch(url, { method: 'POST', headers: { authorization }, body, signal });
  await response.text();
  return response.status;
}

/** The expected result of an authorized delivery, according to the README ("The HTTP contract"). */
function contractFor(
  body: Buffer,
  subAccountIds: readonly string[],
): { status: number; queue?: 'queue' | 'dead letters' } {
  const content = contentOf(body);
  if (content === undefined) return { status: 413 };
  if (content.length === 0) return { status: 400 };
  const read = readSummary(textOrBytes(content));
  switch (read.outcome) {
    case 'invalid-json':
      return { status: 400, queue: 'dead letters' };
    case 'unsupported-event':
      return { status: 422 };
    case 'invalid-summary':
      return { status: 422, queue: 'dead letters' };
    case 'summary':
      return subAccountIds.includes(read.summary.subAccountId)
        ? { status: 200, queue: 'queue' }
        : { status: 422, queue: 'dead letters' };
  }
}

/** A key of a sent message: its queue and the digest of its body. */
function keyOf({ QueueUrl, MessageBody, MessageAttributes }: v.InferOutput<typeof Sent>): string {
  const { body } = fromMessage({
    messageId: '',
    body: MessageBody,
    attributes: { SentTimestamp: String(Date.now()) },
    messageAttributes: Object.fromEntries(
      Object.entries(MessageAttributes).map(([name, { StringValue }]) => [
        name,
        { dataType: 'String', stringValue: StringValue },
      ]),
    ),
  });
  return `${isDeadLetter({ QueueUrl }) ? 'dead letters' : 'queue'} ${digestOf(Buffer.from(body))}`;
}

const isDeadLetter = ({ QueueUrl }: Pick<v.InferOutput<typeof Sent>, 'QueueUrl'>) =>
  QueueUrl.includes('DeadLetter');

const digestOf = (body: Buffer) => hash('sha256', body, 'hex');

function countUp(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
