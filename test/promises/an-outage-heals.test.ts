import { ThrottlingException } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { templateOf } from '../infra/templates.ts';
import {
  DAY,
  deliveriesWithin,
  HOUR,
  MINUTE,
  messageOf,
  queueSettings,
  type Simulation,
  simulate,
} from './virtual-time.ts';

/**
 * The promise to the operator: the system recovers from a DynamoDB outage of up to twelve hours without a redrive.
 * Deliveries that arrive during the outage are recorded when it ends. A delivery that fails for another reason soon
 * becomes a dead letter with that reason. A message that crashes the recorder becomes a dead letter within about an
 * hour, and the messages in its batches do not.
 *
 * What could break it: a redrive policy that gives up before the outage ends, retries that are too frequent, a queue
 * that deletes waiting messages, and a crashing message that takes its batches with it. The simulated queue has the
 * settings of the template. Time is virtual.
 */

const settings = queueSettings(templateOf());
const seed = Date.now() % 1_000_000;
const outageOf = (simulation: Omit<Simulation, 'settings' | 'seed'>) =>
  simulate({ settings, seed, ...simulation });

const throttled = new ThrottlingException({ message: 'Slow down', $metadata: { httpStatusCode: 400 } });
const BEGIN = 10 * MINUTE;

describe(`a DynamoDB outage (seed ${seed})`, () => {
  it('an outage of twelve hours causes no dead letter, and every delivery is recorded within an hour of its end', async () => {
    const END = BEGIN + 12 * HOUR;
    const deliveries = deliveriesWithin(13 * HOUR, 1_300);

    const { recorded, deadLetters, expired, mostReceives } = await outageOf({
      deliveries,
      write: (_, at) => (at >= BEGIN && at < END ? throttled : 'stored'),
    });

    expect(mostReceives).toBeLessThan(settings.maxReceiveCount);
    expect(deadLetters).toEqual([]);
    expect(expired).toEqual([]);
    expect(new Set(recorded.keys())).toEqual(new Set(deliveries.keys()));
    for (const [sessionId, sentAt] of deliveries)
      expect(recorded.get(sessionId)).toBeLessThanOrEqual(Math.max(sentAt, END) + HOUR + MINUTE);
  });

  it('an outage of five minutes delays no delivery by more than five minutes after its end', async () => {
    const END = BEGIN + 5 * MINUTE;
    const deliveries = deliveriesWithin(20 * MINUTE, 200);

    const { recorded, deadLetters } = await outageOf({
      deliveries,
      write: (_, at) => (at >= BEGIN && at < END ? throttled : 'stored'),
    });

    expect(deadLetters).toEqual([]);
    for (const [sessionId, sentAt] of deliveries)
      expect(recorded.get(sessionId)).toBeLessThanOrEqual(Math.max(sentAt, END) + 5 * MINUTE);
  });

  it('an outage without an end causes dead letters after 14 hours, long before the queue deletes waiting messages', async () => {
    const deliveries = deliveriesWithin(MINUTE, 20);

    const { recorded, deadLetters, expired } = await outageOf({ deliveries, write: () => throttled });

    expect([recorded.size, expired, deadLetters.length]).toEqual([0, [], 20]);
    for (const { at, receives, reason } of deadLetters) {
      expect([receives, reason]).toEqual([settings.maxReceiveCount, undefined]);
      expect(at).toBeGreaterThan(14 * HOUR);
      expect(at).toBeLessThan(2 * DAY);
    }
    expect(settings.retention).toBe(10 * DAY);
  });
});

it(`a delivery that fails for an unexpected reason becomes an unaltered dead letter after five attempts (seed ${seed})`, async () => {
  const deliveries = deliveriesWithin(HOUR, 60);
  const attempts = new Map<string, number>();

  const { recorded, deadLetters } = await outageOf({
    deliveries,
    write(sessionId) {
      if (!sessionId.endsWith('7')) return 'stored';
      attempts.set(sessionId, (attempts.get(sessionId) ?? 0) + 1);
      return new TypeError('a bug');
    },
  });

  expect(deadLetters).toHaveLength(6);
  expect(recorded.size).toBe(54);
  for (const { sessionId, reason, body, at } of deadLetters) {
    const sentAt = deliveries.get(sessionId) ?? 0;
    expect([reason, attempts.get(sessionId)]).toEqual(['recording-failed', 5]);
    expect(body).toBe(messageOf(sessionId, sentAt).MessageBody);
    expect(at - sentAt).toBeLessThan(15 * MINUTE);
  }
});

describe(`a message that crashes the recorder (seed ${seed})`, () => {
  const kill = (sessionId: string) => (sessionId.startsWith('killer') ? 'kills' : 'stored');

  it.each([
    ['200 others are delivered over an hour', deliveriesWithin(HOUR, 200), 1],
    ['200 others are delivered at once', deliveriesWithin(0, 200), 1],
    ['it is in a batch of ten that all become visible again together', deliveriesWithin(0, 9), 1],
    ['two more such messages and steady traffic surround it', deliveriesWithin(2 * HOUR, 2_000), 3],
  ])('is the only dead letter, within 70 minutes, when %s', async (_, others, count) => {
    const killers = deliveriesWithin(0, count, 'killer');

    const { recorded, deadLetters } = await outageOf({
      deliveries: new Map([...killers, ...others]),
      write: kill,
    });

    expect(deadLetters.map(({ sessionId }) => sessionId).toSorted()).toEqual([...killers.keys()]);
    for (const { at } of deadLetters) expect(at).toBeLessThanOrEqual(70 * MINUTE);
    expect(new Set(recorded.keys())).toEqual(new Set(others.keys()));
  });

  it('delays other messages by less than 20 minutes while it is isolated', async () => {
    const others = deliveriesWithin(HOUR, 200);

    const { recorded } = await outageOf({ deliveries: new Map([['killer', 0], ...others]), write: kill });

    for (const [sessionId, sentAt] of others)
      expect((recorded.get(sessionId) ?? Infinity) - sentAt).toBeLessThan(20 * MINUTE);
  });

  it('is recorded after a rollback, when a deployment that cannot start fails every message for half an hour', async () => {
    const deliveries = deliveriesWithin(HOUR, 3_000);

    const { recorded, deadLetters } = await outageOf({
      deliveries,
      write: (_, at) => (at < 30 * MINUTE ? 'kills' : 'stored'),
    });

    expect(deadLetters).toEqual([]);
    expect(recorded.size).toBe(deliveries.size);
  });
});
