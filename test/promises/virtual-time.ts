import { Match, type Template } from 'aws-cdk-lib/assertions';
import { type Message, toMessage } from '../../functions/queue/message.ts';
import type { BatchMessage } from '../../functions/recorder/batch-message.ts';
import { createHandler } from '../../functions/recorder/create-handler.ts';
import type { SessionTable } from '../../functions/recorder/session-table.ts';
import type { SessionRecord } from '../../functions/vss/record.ts';
import { carried } from '../functions/queue/carried.ts';
import { receivedAgain } from '../functions/recorder/batch-messages.ts';
import { summaryBody } from '../functions/summaries.ts';
import { telemetry } from '../functions/telemetry.ts';
import { onlyOf } from '../infra/templates.ts';
import { randomFrom } from '../random.ts';

export const MINUTE = 60;
export const HOUR = 3_600;
export const DAY = 86_400;

/** The settings of the queue, the recorder, and the event source mapping between them. Times are in seconds. */
export interface QueueSettings {
  visibilityTimeout: number;
  maxReceiveCount: number;
  retention: number;
  batchSize: number;
  recorders: number;
  functionTimeout: number;
}

export function queueSettings(template: Template): QueueSettings {
  const only = onlyOf(template);
  const queue = only('AWS::SQS::Queue', { RedrivePolicy: Match.anyValue() }).properties;
  const mapping = only('AWS::Lambda::EventSourceMapping').properties;
  const recorder = only('AWS::Lambda::Function', {
    Description: 'Records sessions from the queue in the table',
  }).properties;
  return {
    visibilityTimeout: queue.VisibilityTimeout,
    maxReceiveCount: queue.RedrivePolicy.maxReceiveCount,
    retention: queue.MessageRetentionPeriod,
    batchSize: mapping.BatchSize,
    recorders: mapping.ScalingConfig.MaximumConcurrency,
    functionTimeout: recorder.Timeout,
  };
}

/** The outcome of a write: it succeeds, it fails, or the function is killed without a response. */
export type Write = 'stored' | 'kills' | Error;

export interface Simulation {
  settings: QueueSettings;
  /** The times of the deliveries, by session id. */
  deliveries: ReadonlyMap<string, number>;
  write: (sessionId: string, at: number) => Write;
  seed: number;
}

export interface SimulatedDeadLetter {
  sessionId: string;
  /** Undefined if SQS moved the message. */
  reason: string | undefined;
  body: string;
  receives: number;
  at: number;
}

export interface Simulated {
  /** The times at which sessions were recorded, by session id. */
  recorded: Map<string, number>;
  deadLetters: SimulatedDeadLetter[];
  /** The session ids of messages that the queue deleted because they were too old. */
  expired: string[];
  /** The maximum number of receives of a recorded message. */
  mostReceives: number;
}

interface Queued {
  sessionId: string;
  message: BatchMessage;
  sentAt: number;
  visibleAt: number;
  receives: number;
  firstReceivedAt: number | undefined;
}

/** The duration of an invocation that completes, in seconds. */
const BATCH_SECONDS = 0.2;

/**
 * Simulates SQS and Lambda around the real recorder, on a clock that jumps from one event to the next. As in a standard
 * queue, visible messages are received in any order.
 */
export async function simulate(simulation: Simulation): Promise<Simulated> {
  const { settings, deliveries, write, seed } = simulation;
  const random = randomFrom(seed);
  const records = new Map<string, SessionRecord>();
  const outcome: Simulated = { recorded: new Map(), deadLetters: [], expired: [], mostReceives: 0 };
  const queue = new Set([...deliveries].map(([sessionId, sentAt]) => sent(sessionId, sentAt)));
  const freeAt = Array.from({ length: settings.recorders }, () => 0);

  while (queue.size > 0) {
    const free = Math.min(...freeAt);
    const now = Math.max(free, Math.min(...[...queue].map(({ visibleAt }) => visibleAt)));
    expire(now);
    const batch = receive(now);
    if (batch.length > 0) freeAt[freeAt.indexOf(free)] = now + (await invoke(batch, now));
  }
  return outcome;

  function expire(now: number): void {
    for (const queued of queue) {
      if (now - queued.sentAt < settings.retention) continue;
      queue.delete(queued);
      outcome.expired.push(queued.sessionId);
    }
  }

  function receive(now: number): Queued[] {
    const visible = shuffled([...queue].filter(({ visibleAt }) => visibleAt <= now));
    const batch: Queued[] = [];
    for (const queued of visible.slice(0, settings.batchSize)) {
      if (queued.receives === settings.maxReceiveCount) {
        becomeDeadLetter(queued, queued.message.body, undefined, now);
        continue;
      }
      queued.receives++;
      queued.firstReceivedAt ??= now;
      queued.visibleAt = now + settings.visibilityTimeout;
      batch.push(queued);
    }
    return batch;
  }

  /** Returns the duration of the invocation, in seconds. */
  async function invoke(batch: readonly Queued[], now: number): Promise<number> {
    const killed = Promise.withResolvers<'killed'>();
    const written: string[] = [];
    let isAlive = true;
    const table: SessionTable = {
      async add(record) {
        const { sessionId } = record;
        const result = write(sessionId, now);
        if (result === 'kills') {
          isAlive = false;
          killed.resolve('killed');
          return new Promise<never>(() => {});
        }
        if (result instanceof Error) throw result;
        if (records.has(sessionId)) return false;
        records.set(sessionId, record);
        written.push(sessionId);
        return true;
      },
      read: async (sessionId) => records.get(sessionId),
      replace: () => Promise.reject(new Error('No session has two summaries here')),
    };
    const queuedOf = (receiptHandle: string) =>
      batch.find((queued) => handleOf(queued) === receiptHandle && queue.has(queued));
    const handle = createHandler({
      table,
      async changeVisibility({ receiptHandle }, seconds) {
        const queued = queuedOf(receiptHandle);
        if (isAlive && queued) queued.visibleAt = now + seconds;
      },
      async sendToDeadLetters(message) {
        const queued = batch.find(({ message: { body } }) => body === message.MessageBody);
        if (isAlive && queued)
          becomeDeadLetter(
            queued,
            message.MessageBody,
            message.MessageAttributes['reason']?.StringValue,
            now,
          );
      },
      now: () => now * 1_000,
      ...telemetry(),
    });
    const answer = await Promise.race([killed.promise, handle({ Records: batch.map(asReceived) })]);
    if (answer === 'killed') {
      // The worst case: the recorder had not written the other records yet.
      for (const sessionId of written) records.delete(sessionId);
      return settings.functionTimeout;
    }
    const failed = new Set(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    for (const queued of batch.filter(({ message }) => !failed.has(message.messageId))) {
      queue.delete(queued);
      if (!records.has(queued.sessionId)) continue;
      outcome.recorded.set(queued.sessionId, now);
      outcome.mostReceives = Math.max(outcome.mostReceives, queued.receives);
    }
    return BATCH_SECONDS;
  }

  function becomeDeadLetter(queued: Queued, body: string, reason: string | undefined, at: number): void {
    queue.delete(queued);
    const { sessionId, receives } = queued;
    outcome.deadLetters.push({ sessionId, reason, body, receives, at });
  }

  function shuffled<T>(values: readonly T[]): T[] {
    return values
      .map((value) => ({ value, place: random() }))
      .toSorted((a, b) => a.place - b.place)
      .map(({ value }) => value);
  }

  function asReceived(queued: Queued): BatchMessage {
    const { message, receives, firstReceivedAt = 0 } = queued;
    return receivedAgain(message, {
      receives,
      firstReceivedAt: firstReceivedAt * 1_000,
      receiptHandle: handleOf(queued),
    });
  }

  /** Different for each receive, and not ordered. */
  function handleOf({ sessionId, receives }: Queued): string {
    return `${randomFrom(receives * 7_919 + hashOf(sessionId))()} ${sessionId}`;
  }
}

/** The message of a session, as the webhook sends it. */
export function messageOf(sessionId: string, sentAt: number): Message {
  const receivedAt = new Date(sentAt * 1_000).toISOString();
  return toMessage({ body: summaryBody({ sessionId }), receivedAt, requestId: sessionId });
}

function sent(sessionId: string, sentAt: number): Queued {
  const message = carried(messageOf(sessionId, sentAt), sessionId);
  return { sessionId, message, sentAt, visibleAt: sentAt, receives: 0, firstReceivedAt: undefined };
}

function hashOf(text: string): number {
  return [...text].reduce((hash, character) => (hash * 31 + character.charCodeAt(0)) % 1_000_003, 7);
}

/** `count` session ids, with times evenly spread over `seconds`. */
export function deliveriesWithin(seconds: number, count: number, name = 'session'): Map<string, number> {
  return new Map(Array.from({ length: count }, (_, i) => [`${name}-${i}`, (i * seconds) / count]));
}
