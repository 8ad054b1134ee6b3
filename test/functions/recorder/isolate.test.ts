import { describe, expect, it } from 'vitest';
import { isolateSuspects } from '../../../functions/recorder/isolate.ts';
import { backoffSeconds } from '../../../functions/recorder/retry-policy.ts';
import { batchMessage } from './batch-messages.ts';

const NOW = Date.parse('2026-01-13T12:00:00Z');
const VISIBILITY_TIMEOUT = 190;

/** A message with the number of seconds for which each earlier receive hid it. */
function hiddenFor(messageId: string, seconds: readonly number[], receiptHandle?: string) {
  const total = seconds.reduce((sum, each) => sum + each, 0);
  return batchMessage(messageId, {
    receives: seconds.length + 1,
    firstReceivedAt: NOW - total * 1_000,
    ...(receiptHandle !== undefined && { receiptHandle }),
  });
}

const killed = (times: number) => Array.from({ length: times }, () => VISIBILITY_TIMEOUT);
const backedOff = (times: number) => Array.from({ length: times }, (_, i) => backoffSeconds(i + 1));

const fresh = (messageId: string) => batchMessage(messageId, { receives: 1, firstReceivedAt: NOW });

function isolated(...messages: Parameters<typeof isolateSuspects>[0]) {
  const { attempted, released } = isolateSuspects(messages, NOW);
  const ids = (each: typeof attempted) => each.map(({ messageId }) => messageId);
  return { attempted: ids(attempted), released: ids(released) };
}

describe('a batch is attempted unchanged', () => {
  it.each([
    ['its messages are new', [fresh('a'), fresh('b')]],
    ['it is empty', []],
    ['its messages backed off each time', [hiddenFor('a', backedOff(5)), hiddenFor('b', backedOff(18))]],
    ['its message failed four times for an unexpected reason', [hiddenFor('a', killed(4))]],
    [
      'SQS failed to hide its message once',
      [hiddenFor('a', [...backedOff(2), VISIBILITY_TIMEOUT, ...backedOff(6).slice(3)])],
    ],
    ['its message waited in the queue for a long time', [hiddenFor('a', [...killed(4), 1_900])]],
  ])('when %s', (_, messages) => {
    expect(isolateSuspects(messages, NOW)).toEqual({ attempted: messages, released: [] });
  });

  it('when the clocks of Lambda and SQS differ by less than a minute', () => {
    const message = hiddenFor('a', backedOff(6));

    expect(isolateSuspects([message], NOW - 59_000).released).toEqual([]);
  });
});

describe('a message that was received again before its back-offs could have ended', () => {
  it('is attempted alone, and all other messages are released', () => {
    expect(isolated(fresh('a'), hiddenFor('killer', killed(5)), fresh('b'))).toEqual({
      attempted: ['killer'],
      released: ['a', 'b'],
    });
  });

  it('is isolated even if it backed off before it killed the function', () => {
    for (let n = 5; n < 14; n++) {
      const killer = hiddenFor('killer', [...backedOff(n), VISIBILITY_TIMEOUT]);
      expect(isolated(killer, fresh('a'))).toEqual({ attempted: ['killer'], released: ['a'] });
    }
  });

  it('is attempted when it is the only message of the batch', () => {
    expect(isolated(hiddenFor('killer', killed(5)))).toEqual({ attempted: ['killer'], released: [] });
  });

  it('is attempted before another one with fewer receives', () => {
    expect(isolated(hiddenFor('bystander', killed(5)), hiddenFor('killer', killed(6)))).toEqual({
      attempted: ['killer'],
      released: ['bystander'],
    });
  });

  it('is attempted with half of the suspects with as many receives, chosen by receipt handle', () => {
    const suspects = ['b', 'd', 'a', 'c'].map((handle) => hiddenFor(`message ${handle}`, killed(5), handle));

    expect(isolated(...suspects, fresh('new'))).toEqual({
      attempted: ['message a', 'message b'],
      released: ['message d', 'message c', 'new'],
    });
  });
});
