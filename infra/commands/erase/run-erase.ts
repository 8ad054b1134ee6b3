import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { canonicalId, spellingsOf } from '../../../functions/log-export/canonical-id.ts';
import { identify } from '../../../functions/vss/event.ts';
import { counted } from '../../analytics/report/wording.ts';
import { print, progress } from '../../terminal/output.ts';
import type { Context } from '../command-line/command.ts';
import { confirm } from '../command-line/confirm.ts';
import { DeadLetterQueue } from '../dead-letters/dead-letter-queue.ts';
import { type DeployedStage, findStage, printPlace } from '../stage/deployed-stage.ts';
import { copiesText } from './copies.ts';
import { type ErasableSession, erasableSession } from './erasable-session.ts';
import { eraseCharges } from './erase-charges.ts';
import type { PhoneNumber } from './phone-number.ts';
import { SessionItems } from './session-items.ts';

export interface EraseOptions {
  stage: string;
  sessionIds: readonly string[];
  numbers: readonly PhoneNumber[];
  'dry-run': boolean;
  yes: boolean;
}

/** Finds sessions, shows them, and erases them. Returns the exit code. */
export async function runErase(options: EraseOptions, context: Context): Promise<number> {
  const stage = await findStage(options.stage, context);
  printPlace(stage, context);
  const client = new DynamoDBClient(stage.settings('dynamodb'));
  try {
    return await eraseIn(new SessionItems(client, stage.outputs.TableName), stage, options, context);
  } finally {
    client.destroy();
    progress(context.stderr);
  }
}

async function eraseIn(
  items: SessionItems,
  stage: DeployedStage,
  options: EraseOptions,
  context: Context,
): Promise<number> {
  const { stdout, interrupted } = context;
  const sessions = await find(items, options, context);
  if (interrupted.aborted) return stopped(context, 'Interrupted. Nothing was erased.');
  if (sessions === 'declined') return declined(context);
  if (sessions.length === 0) {
    print(stdout, 'No session in the table has this number.');
    return 0;
  }
  print(stdout, sessions.map(({ line }) => line).join('\n'));
  if (options['dry-run']) {
    print(stdout, `\n${counted(sessions.length, 'session')}. Nothing was erased (--dry-run).`);
    return 0;
  }
  const question = `Erase ${counted(sessions.length, 'session')} permanently?`;
  if (!options.yes && !(await confirm(question, context))) return declined(context);
  return eraseAll(items, sessions, stage, context);
}

function declined({ stdout, interrupted }: Context): number {
  print(stdout, 'Nothing was erased.');
  return interrupted.aborted ? 130 : 0;
}

function stopped({ stderr }: Context, text: string): number {
  progress(stderr);
  print(stderr, text);
  return 130;
}

/** The sessions that the command line names, each once. */
async function find(
  items: SessionItems,
  { sessionIds, numbers, yes }: EraseOptions,
  context: Context,
): Promise<ErasableSession[] | 'declined'> {
  const { stdout, stderr, interrupted } = context;
  const sessions = (await Promise.all(sessionIds.map((id) => named(items, id)))).flat();
  if (numbers.length > 0) {
    const { items: count, bytes, price } = await items.scanEstimate();
    print(
      stdout,
      `Finding the sessions of a number reads the whole table: ${counted(count, 'record')} of ${(bytes / 1e6).toFixed(1)} MB when DynamoDB last counted them, at most six hours ago. That costs about $${price.toFixed(2)}.`,
    );
    if (!yes && !(await confirm('Read the table?', context))) return 'declined';
    const onProgress = (read: number) =>
      progress(stderr, `${read.toLocaleString('en')} of about ${counted(count, 'record')} read`);
    const found = await items.find(numbers, onProgress, interrupted);
    sessions.push(...found.map(erasableSession));
    progress(stderr);
  }
  return [...new Map(sessions.map((session) => [session.sessionId, session])).values()];
}

/** The items of a session, in every spelling of its id that the table has. */
async function named(items: SessionItems, id: string): Promise<ErasableSession[]> {
  const found = await Promise.all(spellingsOf(id).map((spelling) => items.read(spelling)));
  const sessions = found.flatMap((item) => (item ? [erasableSession(item)] : []));
  return sessions.length > 0
    ? sessions
    : [{ sessionId: id, line: `${id}  not in the table`, charges: undefined }];
}

/** How many items are written at the same time. */
const CONCURRENT_WRITES = 16;

/** Marks the sessions, deletes what the stage has of them, and at last their records. Each step can be repeated. */
async function eraseAll(
  items: SessionItems,
  sessions: readonly ErasableSession[],
  stage: DeployedStage,
  context: Context,
): Promise<number> {
  const { stdout, stderr, interrupted } = context;
  const resume = () => stopped(context, 'Interrupted. Run the same command again to complete the erasure.');
  await each(sessions, ({ sessionId }) => items.mark(sessionId), interrupted);
  if (interrupted.aborted) return resume();
  const letters = await deleteDeadLetters(stage, sessions, interrupted);
  const rows = await deleteCharges(stage, sessions, context);
  if (interrupted.aborted) return resume();
  if (letters.unread > 0) {
    print(
      stderr,
      `About ${counted(letters.unread, 'dead letter')} could not be read, because another command is reading the queue. Run the same command again to complete the erasure.`,
    );
    return 1;
  }
  await each(sessions, ({ sessionId }) => items.bury(sessionId), interrupted);
  if (interrupted.aborted) return resume();
  print(
    stdout,
    `\nErased ${counted(sessions.length, 'session')}, ${counted(letters.deleted, 'dead letter')} and ${counted(rows, 'row')} of charges.\n\n${copiesText(stage, new Date())}`,
  );
  return 0;
}

/** Does something with each session, several at the same time, until the signal aborts. */
async function each(
  sessions: readonly ErasableSession[],
  change: (session: ErasableSession) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  for (let i = 0; i < sessions.length && !signal.aborted; i += CONCURRENT_WRITES)
    await Promise.all(sessions.slice(i, i + CONCURRENT_WRITES).map(change));
}

async function deleteDeadLetters(
  { outputs, settings }: DeployedStage,
  sessions: readonly ErasableSession[],
  interrupted: AbortSignal,
): Promise<{ deleted: number; unread: number }> {
  const erased = new Set(sessions.map(({ sessionId }) => canonicalId(sessionId)));
  await using queue = new DeadLetterQueue(new SQSClient(settings('sqs')), outputs.DeadLetterQueueUrl);
  let deleted = 0;
  for await (const letter of queue.letters(interrupted)) {
    const identified = identify(letter.delivery.body);
    if (identified.outcome !== 'summary' || !erased.has(canonicalId(identified.sessionId))) continue;
    await queue.delete(letter);
    deleted++;
  }
  return { deleted, unread: queue.hidden + queue.missed };
}

async function deleteCharges(
  { outputs: { ExportBucketName }, settings }: DeployedStage,
  sessions: readonly ErasableSession[],
  { stderr, interrupted }: Context,
): Promise<number> {
  if (ExportBucketName === undefined) return 0;
  const s3 = new S3Client(settings('s3'));
  try {
    const onProgress = (read: number, all: number) =>
      progress(stderr, `${read} of ${all} objects with charges read`);
    return await eraseCharges(s3, ExportBucketName, sessions, { onProgress, signal: interrupted });
  } finally {
    s3.destroy();
    progress(stderr);
  }
}
