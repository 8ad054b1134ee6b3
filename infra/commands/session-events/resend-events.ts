import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SQSClient } from '@aws-sdk/client-sqs';
import { QueueReader } from '../../../functions/queue/queue-reader.ts';
import { putEvent } from '../../session-events/put-event.ts';
import { age } from '../../terminal/age.ts';
import { print } from '../../terminal/output.ts';
import { inOneLine } from '../../terminal/printable.ts';
import { type Context, UsageError } from '../command-line/command.ts';
import { confirm } from '../command-line/confirm.ts';
import type { DeployedStage } from '../stage/deployed-stage.ts';
import { type ChangedSession, changedSession } from './changed-session.ts';
import { type FailedEvent, recordsAt, toFailedEvent } from './failed-event.ts';

export interface ResendOptions {
  'dry-run': boolean;
  yes: boolean;
  discard: boolean;
}

interface Found {
  failed: FailedEvent;
  /** The events of its changes; undefined if the stream no longer has all of these, or one of them has no event. */
  changes: ChangedSession[] | undefined;
}

/**
 * Publishes the events that the pipe gave up: reads their changes from the stream, and makes of them what the pipe
 * would have made. A message is deleted only after its events are published.
 */
export async function resendEvents(
  { name, stackName, outputs, settings }: DeployedStage,
  options: ResendOptions,
  context: Context,
): Promise<void> {
  const { interrupted, stdout } = context;
  const say = (text: string) => print(stdout, text);
  const { EventBusArn: EventBusName, SessionEventsDeadLetterQueueUrl: url } = outputs;
  if (EventBusName === undefined || url === undefined)
    throw new UsageError(`The stage ${name} publishes no session events: see the setting sessionEvents.`);
  // The pipe reads the same shards, so reads may be throttled.
  const streams = new DynamoDBStreamsClient({ ...settings('dynamodbStreams'), maxAttempts: 10 });
  await using queue = new QueueReader(new SQSClient(settings('sqs')), url, toFailedEvent);

  const found: Found[] = [];
  for await (const failed of queue.letters(interrupted, { perSecond: PER_SECOND }))
    found.push({ failed, changes: await changesOf(streams, failed) });
  if (interrupted.aborted) return;
  if (found.length === 0) return say('The pipe has given up no events.');

  const ready = found.filter(isReady).toSorted(inOrder);
  const skipped = found.filter((each) => !isReady(each));
  for (const { changes = [] } of ready)
    for (const { detailType, detail } of changes)
      say(inOneLine(`publish  ${detailType}  ${detail.sessionId}`));
  const fate = options.discard ? 'delete' : 'skip';
  for (const { failed } of skipped) say(`${fate.padEnd(7)}  ${whySkipped(failed)}`);
  say(`\n${ready.length} to publish, ${skipped.length} to ${fate}.`);
  if (skipped.length > 0 && !options.discard) say(STAY);
  if (ready.length === 0 && !options.discard) return;
  if (options['dry-run']) return say('Nothing was changed (--dry-run).');
  if (!options.yes && !(await confirm('Continue?', context))) return say('Nothing was changed.');

  const events = new EventBridgeClient(settings('events'));
  let published = 0;
  try {
    for (const { failed, changes = [] } of ready) {
      if (interrupted.aborted) return;
      for (const { detailType, detail } of changes)
        await putEvent(events, {
          EventBusName,
          Source: stackName,
          DetailType: detailType,
          Detail: JSON.stringify(detail),
        });
      await queue.delete(failed);
      published++;
    }
    if (options.discard) for (const { failed } of skipped) await queue.delete(failed);
  } finally {
    say(`${published} of ${ready.length} published.`);
  }
}

/** At least this many messages are processed per second, each with two reads and an event. */
const PER_SECOND = 5;

const STAY =
  'The stream keeps a change for 24 hours: find the sessions of older ones in the table. --discard deletes the skipped messages, as SQS does after 14 days.';

const isReady = ({ changes }: Found) => changes !== undefined;

async function changesOf(
  streams: DynamoDBStreamsClient,
  { position }: FailedEvent,
): Promise<ChangedSession[] | undefined> {
  const records = position && (await recordsAt(streams, position));
  const changes = records?.map(changedSession) ?? [undefined];
  return changes.every((change) => change !== undefined) ? changes : undefined;
}

/** In the order of the stream, in which the changes of a session are in one shard. */
function inOrder({ failed: a }: Found, { failed: b }: Found): number {
  const [first, second] = [a, b].map(({ position }) => BigInt(position?.startSequenceNumber ?? 0));
  if (first === undefined || second === undefined || first === second) return 0;
  return first < second ? -1 : 1;
}

function whySkipped({ messageId, position }: FailedEvent): string {
  if (!position) return `message ${messageId}, which is not from the pipe`;
  const { approximateArrivalOfFirstRecord: at } = position;
  return `a change of ${at}, ${age(Date.parse(at))} ago, which the stream no longer has, or which has no event`;
}
