import { type DeadLetter, DeadLetterQueue } from '../dead-letters/dead-letter-queue.ts';
import type { Pending } from './leftovers.ts';
import { differences, type Probe, probeOf, UNKNOWN_SUB_ACCOUNT } from './probe.ts';
import { describeAnswer } from './route.ts';
import { readRecord } from './session-item.ts';
import { inSeconds, locationOf, type SessionSteps } from './session-steps.ts';
import type { SmokeTest } from './smoke-test.ts';
import { failed, passed, type Step, type Verdict } from './step.ts';
import { until } from './until.ts';

/** Tests that a rejected delivery becomes a dead letter, and is recorded after it was sent back. */
export class DeadLetterSteps {
  readonly steps: readonly Step[] = [
    { name: 'dead letter', needs: ['delivery'], run: () => this.#deliver() },
    { name: 'redrive', needs: ['record', 'dead letter'], run: () => this.#sendBack() },
  ];

  readonly #test: SmokeTest;
  readonly #deliverBody: SessionSteps['deliver'];
  readonly #probe: Probe = probeOf(UNKNOWN_SUB_ACCOUNT);
  #requestId: string | undefined;

  constructor(test: SmokeTest, deliver: SessionSteps['deliver']) {
    this.#test = test;
    this.#deliverBody = deliver;
  }

  async #deliver(): Promise<Verdict> {
    const { leftovers, waitOptions } = this.#test;
    leftovers.sessionIds.add(this.#probe.sessionId);
    leftovers.deadLetters.add(this.#probe.sessionId);
    const answer = await this.#deliverBody(this.#probe.body, () =>
      leftovers.deadLetters.delete(this.#probe.sessionId),
    );
    if (answer.status !== 422 || answer.problem !== 'unknown-subaccount')
      return failed(
        `the webhook answered ${describeAnswer(answer)} for an unknown sub-account; expected 422 unknown-subaccount`,
      );

    this.#requestId = answer.requestId;
    const found = await until(() => this.#find(async () => {}), waitOptions);
    if (!found)
      return failed(
        `422, but no message in the dead-letter queue within ${inSeconds(waitOptions.timeoutMs)}`,
      );
    if (found.reason !== 'unknown-subaccount')
      return failed(`the dead letter has the reason ${found.reason}`);
    return passed(`422 unknown-subaccount, and message ${found.messageId} is in the dead-letter queue`);
  }

  async #sendBack(): Promise<Verdict> {
    const { stage, waitOptions, leftovers } = this.#test;
    const location = locationOf(this.#test, this.#probe.sessionId);
    const isDone = async () => (await readRecord(location)) !== undefined;
    const again: Pending = { sessionId: this.#probe.sessionId, isDone };
    const sent = await until(
      () =>
        this.#find(async (queue, letter) => {
          leftovers.pending.add(again);
          await queue.sendBack(letter, stage.outputs.QueueUrl);
          leftovers.deadLetters.delete(this.#probe.sessionId);
        }),
      waitOptions,
    );
    if (!sent)
      return failed('the dead letter has disappeared; someone else may have sent it back or deleted it');

    const record = await until(() => readRecord(location), waitOptions);
    if (!record)
      return failed(
        `sent back, but no record within ${inSeconds(waitOptions.timeoutMs)}; see the recorder's log`,
      );
    leftovers.pending.delete(again);
    const differing = differences(this.#probe, record);
    if (differing.length > 0)
      return failed(`sent back, but the record differs from the delivery in: ${differing.join(', ')}`);
    return passed('sent back to the queue, and recorded with every field as delivered');
  }

  /** Finds the dead letter of our request and passes it to `use`. */
  async #find(
    use: (queue: DeadLetterQueue, letter: DeadLetter) => Promise<void>,
  ): Promise<DeadLetter | undefined> {
    const { sqs, stage, waitOptions } = this.#test;
    await using queue = new DeadLetterQueue(sqs, stage.outputs.DeadLetterQueueUrl);
    for await (const letter of queue.letters(waitOptions.signal)) {
      const { delivery } = letter;
      if (delivery.requestId !== this.#requestId || !mentionsSession(delivery, this.#probe.sessionId))
        continue;
      await use(queue, letter);
      return letter;
    }
    return undefined;
  }
}

/** Whether a delivery contains this session id. Probe ids are unique, so a substring match is enough. */
export function mentionsSession({ body }: DeadLetter['delivery'], sessionId: string): boolean {
  return typeof body === 'string' && body.includes(sessionId);
}
