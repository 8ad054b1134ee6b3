import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterEach, expect, it, vi } from 'vitest';
import { toMessage } from '../../../../functions/queue/message.ts';
import { DeadLetterQueue } from '../../../../infra/commands/dead-letters/dead-letter-queue.ts';

/** A reader of the dead-letter queue sees every message once, however long it takes, or counts what it missed. */

afterEach(() => vi.restoreAllMocks());

interface Stored {
  id: string;
  visibleAt: number;
}

/** Simulates SQS in virtual time. A request takes 50 ms; an empty receive also takes its long poll of one second. */
function simulatedQueue({ count, maxInFlight = 120_000 }: { count: number; maxInFlight?: number }) {
  const messages = new Map<string, Stored>();
  for (let n = 0; n < count; n++) messages.set(`m${n}`, { id: `m${n}`, visibleAt: 0 });
  let now = 0;
  const visible = () => [...messages.values()].filter(({ visibleAt }) => visibleAt <= now);
  const { MessageBody, MessageAttributes } = toMessage({
    body: '{',
    receivedAt: '2026-11-26T00:00:00Z',
    requestId: 'r',
  });

  vi.spyOn(SQSClient.prototype, 'send').mockImplementation(async (command: unknown) => {
    now += 50;
    if (command instanceof GetQueueAttributesCommand) {
      const seen = visible().length;
      return {
        Attributes: {
          ApproximateNumberOfMessages: String(seen),
          ApproximateNumberOfMessagesNotVisible: String(messages.size - seen),
        },
      };
    }
    if (command instanceof ReceiveMessageCommand) {
      const { VisibilityTimeout = 0 } = command.input;
      const received: Stored[] = [];
      const room = Math.min(10, maxInFlight - (messages.size - visible().length));
      for (const message of messages.values()) {
        if (received.length >= room) break;
        if (message.visibleAt <= now) received.push(message);
      }
      for (const message of received) message.visibleAt = now + VisibilityTimeout * 1_000;
      if (received.length === 0) now += 1_000;
      return {
        Messages: received.map(({ id }) => ({
          MessageId: id,
          Body: MessageBody,
          ReceiptHandle: id,
          MessageAttributes,
        })),
      };
    }
    if (command instanceof ChangeMessageVisibilityBatchCommand) {
      for (const { ReceiptHandle = '' } of command.input.Entries ?? []) {
        const message = messages.get(ReceiptHandle);
        if (message) message.visibleAt = now;
      }
    }
    if (command instanceof DeleteMessageCommand) messages.delete(command.input.ReceiptHandle ?? '');
    return {};
  });
  return {
    sqs: new SQSClient({ region: 'us-east-1' }),
    left: () => messages.size,
    visible: () => visible().length,
    pass(milliseconds: number) {
      now += milliseconds;
    },
  };
}

const forever = new AbortController().signal;

it('yields each of 15,000 messages once, and makes all of them visible again', async () => {
  const simulated = simulatedQueue({ count: 15_000 });
  const shown: string[] = [];

  await (async () => {
    await using queue = new DeadLetterQueue(simulated.sqs, 'url');
    for await (const { messageId } of queue.letters(forever)) shown.push(messageId);
    expect(queue.missed).toBe(0);
  })();

  expect(new Set(shown).size).toBe(15_000);
  expect(shown).toHaveLength(15_000);
  expect(simulated.visible()).toBe(15_000);
});

it('yields each message once even if the caller processes only ten per second', async () => {
  const simulated = simulatedQueue({ count: 3_000 });
  await using queue = new DeadLetterQueue(simulated.sqs, 'url');
  const shown: string[] = [];

  for await (const { messageId } of queue.letters(forever, { perSecond: 10 })) {
    simulated.pass(100);
    shown.push(messageId);
  }

  expect(new Set(shown).size).toBe(3_000);
  expect(shown).toHaveLength(3_000);
});

it('counts the messages it missed when SQS reaches its limit of messages in flight', async () => {
  const simulated = simulatedQueue({ count: 500, maxInFlight: 300 });
  await using queue = new DeadLetterQueue(simulated.sqs, 'url');
  let shown = 0;

  for await (const _ of queue.letters(forever)) shown++;

  expect([shown, queue.missed]).toEqual([300, 200]);
});

it('counts the messages that another consumer has received', async () => {
  const simulated = simulatedQueue({ count: 30 });
  await using other = new DeadLetterQueue(simulated.sqs, 'url');
  for await (const _ of other.letters(forever)) break;
  await using queue = new DeadLetterQueue(simulated.sqs, 'url');
  let shown = 0;

  for await (const _ of queue.letters(forever)) shown++;

  expect([shown, queue.hidden, queue.missed]).toEqual([20, 10, 0]);
});

it('stops after the given maximum, and hides messages only for as long as that takes', async () => {
  const simulated = simulatedQueue({ count: 3_000 });
  await using queue = new DeadLetterQueue(simulated.sqs, 'url');
  let shown = 0;

  for await (const _ of queue.letters(forever, { most: 100 })) shown++;
  simulated.pass(120_000);

  expect([shown, simulated.visible()]).toEqual([100, 3_000]);
});

it('deletes one message, and makes the others visible again', async () => {
  const simulated = simulatedQueue({ count: 20 });

  await (async () => {
    await using queue = new DeadLetterQueue(simulated.sqs, 'url');
    for await (const letter of queue.letters(forever))
      if (letter.messageId === 'm7') await queue.delete(letter);
  })();

  expect([simulated.left(), simulated.visible()]).toEqual([19, 19]);
});
