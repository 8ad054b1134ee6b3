import { setTimeout } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import * as v from 'valibot';
import { backoffSeconds } from '../../functions/recorder/retry-policy.ts';
import { canonicalJson } from '../../functions/vss/json.ts';
import { merge, receivedSummary, SessionRecord, standingOf } from '../../functions/vss/record.ts';
import type { BusEvent } from '../../infra/local/event-bus.ts';
import { deliver, readRecords } from '../../infra/local/examples.ts';
import { type LocalStack, startLocalStack } from '../../infra/local/local-stack.ts';
import { summaryOf } from '../functions/summaries.ts';
import { vssWebhook } from '../infra/commands/vss-webhook.ts';
import { queueDepth } from '../queue-depth.ts';
import { randomFrom } from '../random.ts';
import { compareEvents, type EventDifferences } from './compare-events.ts';
import { workload } from './deliveries.ts';
import {
  type Call,
  type Fault,
  type FaultProxy,
  faultProxy,
  visibilityChange,
  visibilityRewrite,
} from './fault-proxy.ts';

export interface Ordeal {
  sessions: number;
  /** The same seed gives the same deliveries, and the same probabilities of faults. */
  seed: number;
  /** Receives progress messages. */
  progress: (text: string) => void;
  /** Folder of the cloud assembly of the stage `local`. Default: synthesizes it. */
  assembly?: string;
}

export interface Outcome {
  sessions: number;
  deliveries: number;
  /** Deliveries that were repeated because the response was not 200. */
  repeated: number;
  faults: ReadonlyMap<Fault | 'passed on', number>;
  killed: number;
  /** Dead letters during the outage of the table, which lasts until one message has been received seven times. */
  deadLettersOfOutage: number;
  /** Messages that were redriven from the dead-letter queue at the end. */
  redriven: number;
  /** Sessions of the oracle that are not in the table. */
  lost: number;
  /** Deliveries that were answered 200, but whose summary is in no record. */
  acknowledgedButMissing: number;
  /** Records that contain a summary twice, or whose session was never delivered. */
  doubled: number;
  /** Records that differ from the oracle in more than the times of receipt, or do not show the right summary. */
  different: number;
  /** How the published events differ from the changes of the table. */
  events: EventDifferences;
}

/**
 * Whether nothing was lost, duplicated or changed, the outage of the table caused no dead letter, and the events are
 * those of the changes.
 */
export function isSurvived(outcome: Outcome): boolean {
  const { lost, acknowledgedButMissing, doubled, different, deadLettersOfOutage, events } = outcome;
  const { missing, unexpected, disordered } = events;
  return (
    lost + acknowledgedButMissing + doubled + different + deadLettersOfOutage === 0 &&
    missing + unexpected + disordered === 0
  );
}

/** Probability of each fault. Together they affect a quarter of the calls, so sometimes all three attempts of the SDK fail. */
const ODDS: readonly (readonly [Fault, number])[] = [
  ['error', 0.07],
  ['throttle', 0.06],
  ['cut-before', 0.04],
  ['cut-after', 0.05],
  ['slow', 0.02],
  ['late', 0.004],
];

/** Assumed delays of 8x8's retries, in milliseconds: a hundredth of 1, 10, 30 and 90 seconds. 8x8 documents none. */
const REDELIVERY_DELAYS = [10, 100, 300, 900];

/** More retries than any fault can cause. */
const MAX_REDELIVERIES = 100;

/** A busy function is killed once per this many calls to SQS or DynamoDB. */
const CALLS_PER_KILL = 150;
/** On average, an outage begins once per this many calls. All of the next OUTAGE_CALLS calls fail. */
const CALLS_PER_OUTAGE = 3_000;
const OUTAGE_CALLS = 300;

/** The back-off of the recorder after the seventh receive of a message. The outage of the table ends with it. */
const OUTAGE_BACKOFF_SECONDS = backoffSeconds(7);

/**
 * Shortens back-offs of one minute to one hour to one to four seconds. The recorder compares its receives with the real
 * clock, so from the sixth receive it suspects every message of having killed a function, and isolates it.
 */
const shortened = (seconds: number) => Math.ceil(seconds / 1_000);

const CONCURRENCY = 24;

/**
 * Delivers sessions to the local stack while its services fail randomly. Then ends the faults, redrives the dead letters
 * and compares the table with the oracle.
 */
export async function survive({ sessions, seed, progress, assembly }: Ordeal): Promise<Outcome> {
  const random = randomFrom(seed);
  const { bodies, oracle } = workload(sessions, random);
  let failing = true;
  let calls = 0;
  let killed = 0;
  let outage = 0;
  let isTableDown = false;
  // Kills depend on calls, not on time: on a slow machine, functions that are killed every second would never finish.
  const next = () => {
    calls++;
    if (calls % CALLS_PER_KILL === 0) killed += killOne(random);
    if (random() < 1 / CALLS_PER_OUTAGE) outage = OUTAGE_CALLS;
    return outage-- > 0 ? 'error' : pick(random());
  };
  const killOne = (random: () => number) => {
    const functions = [...stack.functions.values()];
    return functions[Math.floor(random() * functions.length)]?.kill() ? 1 : 0;
  };
  const proxies: FaultProxy[] = [];
  const published: BusEvent[] = [];
  const stack = await startLocalStack({
    port: 0,
    log: () => {},
    onEvent: (event) => published.push(event),
    ...(assembly !== undefined && { assembly }),
    concurrency: Math.min(8, Math.ceil(sessions / 20)),
    async between(service, endpoint) {
      const proxy = await faultProxy(
        endpoint,
        (call) => {
          if (isTableDown && isLastOfOutage(call)) isTableDown = false;
          if (isTableDown && service === 'dynamodb') return 'error';
          return failing ? next() : undefined;
        },
        visibilityRewrite(shortened),
      );
      proxies.push(proxy);
      return proxy.url;
    },
  });
  try {
    // Short enough to expire during a write.
    const Attributes = { VisibilityTimeout: '2' };
    await stack.sqs.send(new SetQueueAttributesCommand({ QueueUrl: stack.queueUrl, Attributes }));
    const acknowledged: string[] = [];
    let repeated = 0;
    const pending = bodies.entries();
    const deliverAll = async () => {
      for (const [i, body] of pending) {
        if (i > 0 && i % 1_000 === 0) progress(`${i} of ${bodies.length} delivered`);
        for (let attempt = 0; !(await isAccepted(stack, body)); attempt++) {
          if (attempt === MAX_REDELIVERIES)
            throw new Error(`Not acknowledged after ${attempt} attempts: ${body}`);
          repeated++;
          await setTimeout(REDELIVERY_DELAYS[attempt] ?? REDELIVERY_DELAYS.at(-1));
        }
        acknowledged.push(body);
      }
    };
    const delivering = Array.from({ length: CONCURRENCY }, deliverAll);
    const lettersBefore = await queueDepth(stack.sqs, stack.deadLetterQueueUrl);
    progress('the table is down');
    isTableDown = true;
    while (isTableDown) await setTimeout(100);
    const deadLettersOfOutage = (await queueDepth(stack.sqs, stack.deadLetterQueueUrl)) - lettersBefore;
    progress('the table is up again');
    await Promise.all(delivering);
    progress('waiting until the queue is empty, while faults continue');
    await emptied(stack);
    failing = false;
    progress('the faults have ended; redriving dead letters');
    const redriven = await redrive(stack);
    await emptied(stack);
    await stack.eventsPublished();

    const records = v.parse(v.array(SessionRecord), await readRecords(stack));
    const byId = new Map(records.map((record) => [record.sessionId, record]));
    return {
      sessions,
      deliveries: bodies.length,
      repeated,
      faults: countsOf(proxies),
      killed,
      deadLettersOfOutage,
      redriven,
      lost: [...oracle.keys()].filter((id) => !byId.has(id)).length,
      acknowledgedButMissing: acknowledged.filter((body) => {
        const summary = receivedSummary(summaryOf(body), '');
        const stored = byId.get(summary.sessionId);
        return stored === undefined || standingOf(summary, stored) === 'new';
      }).length,
      doubled: records.filter((record) => isTwiceIn(record) || !oracle.has(record.sessionId)).length,
      different: [...oracle].filter(([id, expected]) => {
        const stored = byId.get(id);
        return (
          stored !== undefined &&
          !(isDeepStrictEqual(contentOf(stored), contentOf(expected)) && isInOrder(stored))
        );
      }).length,
      events: compareEvents(stack.changes(), published),
    };
  } finally {
    await stack.stop();
    for (const proxy of proxies) await proxy.close();
  }
}

/** Whether the call hides a message after its last receive of the outage. */
function isLastOfOutage(call: Call): boolean {
  return (visibilityChange(call)?.VisibilityTimeout ?? 0) >= OUTAGE_BACKOFF_SECONDS;
}

function pick(number: number): Fault | undefined {
  let left = number;
  for (const [fault, odds] of ODDS) {
    left -= odds;
    if (left < 0) return fault;
  }
  return undefined;
}

async function isAccepted(stack: LocalStack, body: string): Promise<boolean> {
  const response = await deliver(stack, body).catch(() => undefined);
  await response?.text().catch(() => {});
  return response?.status === 200;
}

/** Waits until the queue has no visible messages and none in flight. */
async function emptied({ sqs, queueUrl }: LocalStack): Promise<void> {
  for (let quiet = 0; quiet < 3; await setTimeout(500))
    quiet = (await queueDepth(sqs, queueUrl)) === 0 ? quiet + 1 : 0;
}

/** Redrives all dead letters, as an operator does. Returns their number. */
async function redrive({ webhookUrl }: LocalStack): Promise<number> {
  const stage = `local:${new URL(webhookUrl).port}`;
  const { stdout, stderr, code } = await vssWebhook([
    'redrive',
    'send',
    '--yes',
    '--stage',
    stage,
    '--rate',
    '300',
  ]);
  if (code !== 0) throw new Error(`redrive failed: ${stderr}`);
  return Number(/^(\d+) sent back/m.exec(stdout)?.[1] ?? 0);
}

function countsOf(proxies: readonly FaultProxy[]): Outcome['faults'] {
  const counts = new Map<Fault | 'passed on', number>();
  for (const { counts: own } of proxies)
    for (const [fault, count] of own) counts.set(fault, (counts.get(fault) ?? 0) + count);
  return counts;
}

function isTwiceIn({ digest, alternates = [] }: SessionRecord): boolean {
  return new Set([digest, ...alternates.map((alternate) => alternate.digest)]).size <= alternates.length;
}

/** The summaries of a record, without their times of receipt, which decide the order of those with the same end time. */
function contentOf(record: SessionRecord): string[] {
  const { alternates = [], revision, unsuccessfulIn, unsuccessfulAt, event, ...shown } = record;
  return [shown, ...alternates].map((summary) => canonicalJson({ ...summary, receivedAt: undefined })).sort();
}

/** Whether a record shows the right one of its summaries, and has the others in order. */
function isInOrder(record: SessionRecord): boolean {
  const { revision, event } = record;
  return canonicalJson({ ...merge(record, record), revision, event }) === canonicalJson(record);
}
