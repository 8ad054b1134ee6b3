import { S3Client } from '@aws-sdk/client-s3';
import { RESULTS_RETENTION_DAYS } from '../../exports/bucket-prefixes.ts';
import { reasonOf } from '../../terminal/reason-of.ts';
import { type DeadLetter, DeadLetterQueue } from '../dead-letters/dead-letter-queue.ts';
import { deleteObjects } from './bucket-objects.ts';
import { mentionsSession } from './dead-letter-steps.ts';
import type { Analytics } from './export-steps.ts';
import { deleteCommand, deleteRecord } from './session-item.ts';
import { locationOf } from './session-steps.ts';
import type { SmokeTest } from './smoke-test.ts';
import { until } from './until.ts';

/** The result of a clean-up. */
export interface CleanUp {
  /** Counts of what was removed, such as `2 session records`. */
  removed: readonly string[];
  /** Descriptions of what could not be removed, and what to do about it. */
  left: readonly string[];
}

/**
 * Removes everything that a smoke test has created. After an interruption, first waits until deliveries in flight are
 * recorded.
 *
 * @param analytics Where the export is, if the test made one.
 */
export async function removeLeftovers(test: SmokeTest, analytics: Analytics | undefined): Promise<CleanUp> {
  const left: string[] = [];
  /** Reports a failed removal without rejecting, so that the rest is still removed. */
  async function attempt(kind: string, remove: () => Promise<number>): Promise<string[]> {
    try {
      const number = await remove();
      return number === 0 ? [] : [`${number} ${kind}${number === 1 ? '' : 's'}`];
    } catch (error) {
      left.push(`${kind}s: ${reasonOf(error)}`);
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
      `session ${sessionId} may still be in the queue or the dead-letter queue. Check with npx vss-webhook redrive. Once it is recorded, run: ${deleteCommand(test.stage.outputs.TableName, sessionId)}`,
    );
  }
  return { removed: removed.flat(), left };
}

/** The clean-up continues although the test's own signal has aborted. */
const neverAborted = () => new AbortController().signal;

/** Removes deliveries that the recorder has processed from `pending`. If that cannot be determined, they stay there. */
async function forgetRecorded({ leftovers, waitOptions }: SmokeTest): Promise<void> {
  // If the test was not interrupted, its steps have already waited for them.
  const timeoutMs = waitOptions.signal.aborted ? waitOptions.timeoutMs : 0;
  for (const pending of leftovers.pending) {
    const isDone = async () => (await pending.isDone().catch(() => false)) || undefined;
    if (await until(isDone, { signal: neverAborted(), timeoutMs })) leftovers.pending.delete(pending);
  }
}

/** Also removes the dead letters of deliveries that the recorder could not record. */
async function removeDeadLetters({ sqs, stage, leftovers }: SmokeTest): Promise<number> {
  const { pending, deadLetters } = leftovers;
  if (pending.size + deadLetters.size === 0) return 0;
  const sessionOf = ({ delivery }: DeadLetter) =>
    [...leftovers.sessionIds].find((sessionId) => mentionsSession(delivery, sessionId));
  await using queue = new DeadLetterQueue(sqs, stage.outputs.DeadLetterQueueUrl);
  const removed: DeadLetter[] = [];
  for await (const letter of queue.letters(neverAborted())) {
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
      if (await deleteRecord(locationOf(test, sessionId))) removed++;
    } catch (error) {
      left.push(
        `the record of ${sessionId}: ${reasonOf(error)}. Run: ${deleteCommand(test.stage.outputs.TableName, sessionId)}`,
      );
    }
  }
  return removed;
}

async function removeObjects(
  { leftovers }: SmokeTest,
  { bucket, settings }: Analytics,
  left: string[],
): Promise<number> {
  const s3 = new S3Client(settings('s3'));
  let removed = 0;
  for (const prefix of leftovers.prefixes) {
    const advice = `the objects in s3://${bucket}/${prefix} are deleted after ${RESULTS_RETENTION_DAYS} days; to delete them earlier: aws s3 rm --recursive s3://${bucket}/ --exclude '*' --include '${prefix}*'`;
    try {
      removed += await deleteObjects(s3, bucket, prefix);
    } catch (error) {
      left.push(`objects: ${reasonOf(error)}; ${advice}`);
    }
    if (leftovers.runningExport !== undefined && prefix.endsWith('/'))
      left.push(
        `DynamoDB is still writing ${leftovers.runningExport}, and an export cannot be cancelled; ${advice}`,
      );
  }
  return removed;
}
