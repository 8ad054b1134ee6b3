import { S3Client } from '@aws-sdk/client-s3';
import { RESULTS_RETENTION_DAYS } from '../../exports/bucket-prefixes.ts';
import { reasonOf } from '../../terminal/reason-of.ts';
import { type DeadLetter, DeadLetterQueue } from '../dead-letters/dead-letter-queue.ts';
import { deleteObjects } from './bucket-objects.ts';
import { isAbout } from './dead-letter-steps.ts';
import type { Analytics } from './export-steps.ts';
import { deleteCommand, deleteRecord } from './session-item.ts';
import { placeOf } from './session-steps.ts';
import type { SmokeTest } from './smoke-test.ts';
import { until } from './until.ts';

/** What a clean-up has done. */
export interface CleanUp {
  /** What was removed: how many of what. */
  removed: readonly string[];
  /** What could not be removed, and what to do about it. */
  left: readonly string[];
}

/**
 * Removes what a smoke test has made. After an interruption it first waits for what is on its way to the table.
 *
 * @param analytics Where exports are, if one has been made.
 */
export async function removeLeftovers(test: SmokeTest, analytics: Analytics | undefined): Promise<CleanUp> {
  const left: string[] = [];
  /** What cannot be removed must not keep the rest from being removed. */
  async function attempt(of: string, remove: () => Promise<number>): Promise<string[]> {
    try {
      const number = await remove();
      return number === 0 ? [] : [`${number} ${of}${number === 1 ? '' : 's'}`];
    } catch (error) {
      left.push(`${of}s: ${reasonOf(error)}`);
      return [];
    }
  }

  await forgetRecorded(test);
  const removed = [
    await attempt('dead letter', () => removeDeadLetters(test)),
    await attempt('session record', () => removeRecords(test, left)),
    await attempt('object', async () => (analytics ? removeObjects(test, analytics, left) : 0)),
  ];
  const { deadLetters, pending } = test.leftovers;
  for (const sessionId of new Set([...deadLetters, ...[...pending].map((each) => each.sessionId)])) {
    left.push(
      `session ${sessionId} may still be in the queue or the dead-letter queue. Look there with npm run redrive; once it is recorded: ${deleteCommand(test.stage.outputs.TableName, sessionId)}`,
    );
  }
  return { removed: removed.flat(), left };
}

/** The signal of a test ends its steps; removing goes on. */
const goesOn = () => new AbortController().signal;

/** Forgets the deliveries with which the recorder is done; where that cannot be found out, they stay pending. */
async function forgetRecorded({ leftovers, patience }: SmokeTest): Promise<void> {
  // Without an interruption they have been waited for already.
  const timeoutMs = patience.signal.aborted ? patience.timeoutMs : 0;
  for (const pending of leftovers.pending) {
    const isDone = async () => (await pending.isDone().catch(() => false)) || undefined;
    if (await until(isDone, { signal: goesOn(), timeoutMs })) leftovers.pending.delete(pending);
  }
}

/** What the recorder could not record is a dead letter, too. */
async function removeDeadLetters({ sqs, stage, leftovers }: SmokeTest): Promise<number> {
  const { pending, deadLetters } = leftovers;
  if (pending.size + deadLetters.size === 0) return 0;
  const sessionOf = ({ delivery }: DeadLetter) =>
    [...leftovers.sessionIds].find((sessionId) => isAbout(delivery, sessionId));
  await using queue = new DeadLetterQueue(sqs, stage.outputs.DeadLetterQueueUrl);
  const removed: DeadLetter[] = [];
  for await (const letter of queue.letters(goesOn())) {
    if (sessionOf(letter) === undefined) continue;
    await queue.delete(letter);
    removed.push(letter);
  }
  for (const sessionId of removed.map(sessionOf)) {
    for (const each of pending) if (each.sessionId === sessionId) pending.delete(each);
    if (sessionId !== undefined) deadLetters.delete(sessionId);
  }
  return removed.length;
}

async function removeRecords(test: SmokeTest, left: string[]): Promise<number> {
  let removed = 0;
  for (const sessionId of test.leftovers.sessionIds) {
    try {
      if (await deleteRecord(placeOf(test, sessionId))) removed++;
    } catch (error) {
      left.push(
        `the record of ${sessionId}: ${reasonOf(error)}. ${deleteCommand(test.stage.outputs.TableName, sessionId)}`,
      );
    }
  }
  return removed;
}

async function removeObjects(
  { leftovers }: SmokeTest,
  { bucket, aws }: Analytics,
  left: string[],
): Promise<number> {
  const s3 = new S3Client(aws);
  let removed = 0;
  for (const prefix of leftovers.prefixes) {
    const later = `what is left in s3://${bucket}/${prefix} is deleted after ${RESULTS_RETENTION_DAYS} days; at once: aws s3 rm --recursive s3://${bucket}/ --exclude '*' --include '${prefix}*'`;
    try {
      removed += await deleteObjects(s3, bucket, prefix);
    } catch (error) {
      left.push(`objects: ${reasonOf(error)}; ${later}`);
    }
    if (leftovers.runningExport !== undefined && prefix.endsWith('/'))
      left.push(`DynamoDB is still writing ${leftovers.runningExport}, which nobody can stop; ${later}`);
  }
  return removed;
}
