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

/** Few of few: a slow machine would not answer many in time. */
const atOnceOf = (count: number) => Math.min(16, Math.ceil(count / 80));

/** No fault lasts this long: something else is wrong then. */
const MAX_REDELIVERIES = 100;

/** No answer takes this long, even on a slow machine, unless something hangs. */
const HANGING_MS = 600_000;

/** What is sent to SQS, as far as it matters here. */
const Sent = v.object({
  QueueUrl: v.string(),
  MessageBody: v.string(),
  MessageAttributes: v.record(v.string(), v.object({ StringValue: v.string() })),
});

/**
 * Delivers bodies to the local stack, and compares the answers, and what is sent to the queues, with the contract.
 *
 * @param assembly The cloud assembly of the stage `local`. Default: it is synthesized.
 */
export async function deliverAll(
  bodies: Generator<Buffer>,
  count: number,
  progress: (text: string) => void,
  assembly?: string,
): Promise<Findings> {
  const proxies: FaultProxy[] = [];
  /** Where each body has been sent by the webhook, and has to be: `queue 3f0a…`. It may be sent twice. */
  const sent = new Set<string>();
  const due = new Set<string>();
  let tooLarge = 0;
  /** How many messages have been sent to the dead-letter queue, by both functions. */
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
        // The recorder's own, of a delivery that was in the queue.
        if (call.MessageAttributes['reason']?.StringValue === 'record-too-large') tooLarge++;
        else sent.add(placeOf(call));
        return undefined;
      };
      // What a slow emulator does not take in time is tried again after seconds, not minutes.
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
        // A slow machine makes SQS late, and the answer 503: whoever delivers has to repeat it.
        for (let attempt = 0; status === 503 && attempt < MAX_REDELIVERIES; attempt++) {
          // With a scheme or without, which 8x8 does not say.
          status = await statusOf(
            webhookUrl,
            delivered % 2 === 0 ? authorization : `Bearer ${authorization}`,
            body,
          );
          countUp(statuses, String(status));
        }
        if (expected.queue !== undefined) due.add(`${expected.queue} ${digestOf(contentOf(body) ?? body)}`);
        if (status !== expected.status)
          complaints.push(
            `${status}, not ${expected.status}: ${JSON.stringify(body.toString().slice(0, 200))}`,
          );
        if (++delivered % 10_000 === 0) progress(`${delivered} delivered`);
      }
    };
    await Promise.all(Array.from({ length: atOnceOf(count) }, deliverSome));
    for (const place of sent.difference(due)) complaints.push(`Sent to a queue, but should not be: ${place}`);
    for (const place of due.difference(sent)) complaints.push(`Not sent to its queue: ${place}`);
    progress('waiting until all is recorded');
    while ((await queueDepth(stack.sqs, stack.queueUrl)) > 0) await setTimeout(500);
    const deadLetters = await queueDepth(stack.sqs, stack.deadLetterQueueUrl);
    if (deadLetters !== sentToDeadLetters)
      complaints.push(`${sentToDeadLetters} dead letters were sent, but ${deadLetters} are in the queue`);
    return {
      table: [
        ['deliveries', delivered],
        ...[...statuses].toSorted().map(([status, number]) => [`  answered ${status}`, number] as const),
        ['  answered 200, but too large to be recorded', tooLarge],
        ['not answered, or not kept, as the contract says', complaints.length],
      ],
      complaints,
    };
  } finally {
    await stack.stop();
    for (const proxy of proxies) await proxy.close();
  }
}

/** What a body is once it is decompressed, if that is not too large. */
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

/** What the contract (README, "The HTTP contract") says of a body that comes with a valid Authorization. */
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

/** Which body the webhook sends where. */
function placeOf({ QueueUrl, MessageBody, MessageAttributes }: v.InferOutput<typeof Sent>): string {
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
