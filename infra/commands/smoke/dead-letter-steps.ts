import { type DeadLetter, DeadLetterQueue } from '../dead-letters/dead-letter-queue.ts';
import type { Pending } from './leftovers.ts';
import { differences, type Probe, probeOf, UNKNOWN_SUB_ACCOUNT } from './probe.ts';
import { readRecord } from './session-item.ts';
import { inSeconds, placeOf, type SessionSteps } from './session-steps.ts';
import type { SmokeTest } from './smoke-test.ts';
import { proved, type Step, type Verdict, wrong } from './step.ts';
import { until } from './until.ts';
import { inWords } from './way-in.ts';

/** That a delivery which is refused becomes a dead letter, and that this one can be sent back and is then recorded. */
export class DeadLetterSteps {
  readonly steps: readonly Step[] = [
    { name: 'dead letter', needs: ['delivery'], run: () => this.#deliver() },
    { name: 'redrive', needs: ['record', 'dead letter'], run: () => this.#sendBack() },
  ];

  readonly #test: SmokeTest;
  readonly #deliverBody: SessionSteps['deliver'];
  readonly #probe: Probe = probeOf(UNKNOWN_SUB_ACCOUNT);
  #requestId: string | undefined;

  /** @param deliver Delivers a body to the webhook. */
  constructor(test: SmokeTest, deliver: SessionSteps['deliver']) {
    this.#test = test;
    this.#deliverBody = deliver;
  }

  async #deliver(): Promise<Verdict> {
    const { leftovers, patience } = this.#test;
    leftovers.sessionIds.add(this.#probe.sessionId);
    leftovers.deadLetters.add(this.#probe.sessionId);
    const answer = await this.#deliverBody(this.#probe.body, () =>
      leftovers.deadLetters.delete(this.#probe.sessionId),
    );
    if (answer.status !== 422 || answer.problem !== 'unknown-subaccount')
      return wrong(`an unknown sub-account is answered ${inWords(answer)}; expected 422 unknown-subaccount`);

    this.#requestId = answer.requestId;
    const found = await until(() => this.#find(async () => {}), patience);
    if (!found) return wrong(`422, but not in the dead-letter queue within ${inSeconds(patience.timeoutMs)}`);
    if (found.reason !== 'unknown-subaccount') return wrong(`the dead letter has the reason ${found.reason}`);
    return proved(`422 unknown-subaccount, and message ${found.messageId} in the dead-letter queue`);
  }

  async #sendBack(): Promise<Verdict> {
    const { stage, patience, leftovers } = this.#test;
    const place = placeOf(this.#test, this.#probe.sessionId);
    const isDone = async () => (await readRecord(place)) !== undefined;
    const again: Pending = { sessionId: this.#probe.sessionId, isDone };
    const sent = await until(
      () =>
        this.#find(async (queue, letter) => {
          leftovers.pending.add(again);
          await queue.sendBack(letter, stage.outputs.QueueUrl);
          leftovers.deadLetters.delete(this.#probe.sessionId);
        }),
      patience,
    );
    if (!sent) return wrong('the dead letter is not there any more; has somebody else sent it back?');

    const record = await until(() => readRecord(place), patience);
    if (!record)
      return wrong(
        `sent back, but no record within ${inSeconds(patience.timeoutMs)}; see the recorder's log`,
      );
    leftovers.pending.delete(again);
    const differing = differences(this.#probe, record);
    if (differing.length > 0)
      return wrong(`sent back; the record is not as delivered: ${differing.join(', ')}`);
    return proved('sent back to the queue, and in the table as it was delivered');
  }

  /** Finds the letter of our request, and does something with it. */
  async #find(
    use: (queue: DeadLetterQueue, letter: DeadLetter) => Promise<void>,
  ): Promise<DeadLetter | undefined> {
    const { sqs, stage, patience } = this.#test;
    await using queue = new DeadLetterQueue(sqs, stage.outputs.DeadLetterQueueUrl);
    for await (const letter of queue.letters(patience.signal)) {
      const { delivery } = letter;
      if (delivery.requestId !== this.#requestId || !isAbout(delivery, this.#probe.sessionId)) continue;
      await use(queue, letter);
      return letter;
    }
    return undefined;
  }
}

/** Whether a delivery is about a session, whose id is like no other. */
export function isAbout({ body }: DeadLetter['delivery'], sessionId: string): boolean {
  return typeof body === 'string' && body.includes(sessionId);
}
