import { setTimeout } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import * as v from 'valibot';
import { backoffSeconds } from '../../functions/recorder/retry-policy.ts';
import { canonicalJson } from '../../functions/vss/json.ts';
import { merge, receivedSummary, SessionRecord, standingOf } from '../../functions/vss/record.ts';
import { deliver, readRecords } from '../../infra/local/examples.ts';
import { type LocalStack, startLocalStack } from '../../infra/local/local-stack.ts';
import { summaryOf } from '../functions/summaries.ts';
import { run } from '../infra/run.ts';
import { queueDepth } from '../queue-depth.ts';
import { randomFrom } from '../random.ts';
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
  /** The same seed chooses the same deliveries, and faults with the same odds. */
  seed: number;
  /** Receives a line of progress now and then. */
  progress: (text: string) => void;
  /** The cloud assembly of the stage `local`. Default: it is synthesized. */
  assembly?: string;
}

/** What was done, and what came of it. */
export interface Outcome {
  sessions: number;
  deliveries: number;
  /** Deliveries that were sent again because they were not answered 200. */
  repeated: number;
  faults: ReadonlyMap<Fault | 'passed on', number>;
  killed: number;
  /** Dead letters that came while the table was down for as long as one message was received seven times. */
  deadLettersOfOutage: number;
  /** Messages that were sent back from the dead-letter queue at the end. */
  redriven: number;
  /** Sessions of the oracle that are not in the table. */
  lost: number;
  /** Deliveries that were answered 200 and whose summary no record has. */
  acknowledgedButMissing: number;
  /** Records that have a summary twice, or are of a session that nobody delivered. */
  doubled: number;
  /** Records that differ from the oracle's in more than the times of receipt, or do not show the right summary. */
  different: number;
}

/** Whether nothing was lost, doubled or changed, and the outage of the table healed by itself. */
export function isSurvived(outcome: Outcome): boolean {
  const { lost, acknowledgedButMissing, doubled, different, deadLettersOfOutage } = outcome;
  return lost + acknowledgedButMissing + doubled + different + deadLettersOfOutage === 0;
}

/** How often each fault comes: together every fourth call, so that now and then all three attempts of the SDK fail. */
const ODDS: readonly (readonly [Fault, number])[] = [
  ['error', 0.07],
  ['throttle', 0.06],
  ['cut-before', 0.04],
  ['cut-after', 0.05],
  ['slow', 0.02],
  ['late', 0.004],
];

/** After how long 8x8 is taken to deliver again; it documents none. A hundredth of 1, 10, 30 and 90 seconds. */
const REDELIVERIES = [10, 100, 300, 900];

/** No fault lasts this long: something else is wrong then. */
const MAX_REDELIVERIES = 100;

/** Once in this many calls to SQS or DynamoDB, a function that is at work is killed. */
const CALLS_PER_KILL = 150;
/** Once in this many calls, an outage begins: the calls after it all fail. */
const CALLS_PER_OUTAGE = 3_000;
const OUTAGE_CALLS = 300;

/** For how long the recorder hides a message after its seventh receive, with which the outage of the table ends. */
const OUTAGE_BACKOFF_SECONDS = backoffSeconds(7);

/**
 * For how long the queue hides a message that is to be hidden for a minute up to an hour: one second up to four. The
 * clock that the recorder compares its receives with is not as fast, so from the sixth receive on every message looks
 * as if it had killed a function, and is kept apart from others.
 */
const hastened = (seconds: number) => Math.ceil(seconds / 1_000);

const AT_ONCE = 24;

/**
 * Delivers sessions to the local stack while everything under it fails now and then, then lets it come to rest, sends
 * dead letters back, and compares the table with the oracle.
 */
export async function survive({ sessions, seed, progress, assembly }: Ordeal): Promise<Outcome> {
  const random = randomFrom(seed);
  const { bodies, oracle } = workload(sessions, random);
  let failing = true;
  let calls = 0;
  let killed = 0;
  let outage = 0;
  let isTableDown = false;
  // By calls, not by time: on a slow machine, a function that is killed every second never gets anything done.
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
  const stack = await startLocalStack({
    port: 0,
    log: () => {},
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
        visibilityRewrite(hastened),
      );
      proxies.push(proxy);
      return proxy.url;
    },
  });
  try {
    // Short enough to run out while a record is being written.
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
            throw new Error(`Not acknowledged after ${attempt} times: ${body}`);
          repeated++;
          await setTimeout(REDELIVERIES[attempt] ?? REDELIVERIES.at(-1));
        }
        acknowledged.push(body);
      }
    };
    const delivering = Array.from({ length: AT_ONCE }, deliverAll);
    const lettersBefore = await queueDepth(stack.sqs, stack.deadLetterQueueUrl);
    progress('the table is down');
    isTableDown = true;
    while (isTableDown) await setTimeout(100);
    const deadLettersOfOutage = (await queueDepth(stack.sqs, stack.deadLetterQueueUrl)) - lettersBefore;
    progress('the table is up again');
    await Promise.all(delivering);
    progress('waiting until the queue is empty, with faults');
    await emptied(stack);
    failing = false;
    progress('the faults have ended; dead letters are sent back');
    const redriven = await redrive(stack);
    await emptied(stack);

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
    };
  } finally {
    await stack.stop();
    for (const proxy of proxies) await proxy.close();
  }
}

/** Whether the recorder hides a message for as long as it does after the last receive of the outage. */
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

/** Waits until nothing is in the queue or being recorded. */
async function emptied({ sqs, queueUrl }: LocalStack): Promise<void> {
  for (let quiet = 0; quiet < 3; await setTimeout(500))
    quiet = (await queueDepth(sqs, queueUrl)) === 0 ? quiet + 1 : 0;
}

/** Sends every dead letter back, as an operator does. Returns how many there were. */
async function redrive({ webhookUrl }: LocalStack): Promise<number> {
  const stage = `local:${new URL(webhookUrl).port}`;
  const { stdout, stderr, code } = await run([
    'infra/commands/redrive.ts',
    'send',
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

/** The summaries that a record has, without when each was received, which decides the order of those that end together. */
function contentOf(record: SessionRecord): string[] {
  const { alternates = [], revision: _, unsuccessfulIn: __, unsuccessfulAt: ___, ...shown } = record;
  return [shown, ...alternates].map((summary) => canonicalJson({ ...summary, receivedAt: undefined })).sort();
}

/** Whether a record shows what it has to of the summaries that it has, and has the others in their order. */
function isInOrder(record: SessionRecord): boolean {
  const { revision } = record;
  return canonicalJson({ ...merge(record, record), revision }) === canonicalJson(record);
}
