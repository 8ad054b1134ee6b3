import { SQSClient } from '@aws-sdk/client-sqs';
import { print, progress } from '../../terminal/output.ts';
import type { Context } from '../command-line/command.ts';
import { confirm } from '../command-line/confirm.ts';
import type { RedriveCommand } from '../redrive.ts';
import { resendEvents } from '../session-events/resend-events.ts';
import { type DeployedStage, findStage, printPlace } from '../stage/deployed-stage.ts';
import { DeadLetterQueue } from './dead-letter-queue.ts';
import { deleteOne, list, type Redrive, send, show } from './redrive-commands.ts';

interface RedriveOptions extends Readonly<Redrive['options']> {
  /** The name of the stage. */
  stage: string;
  discard: boolean;
}

const ON_DELIVERIES = { list, show, send, delete: deleteOne } as const;

/** Runs a command on a dead-letter queue of a stage. Returns the exit code. */
export async function runRedrive(
  command: RedriveCommand,
  options: RedriveOptions,
  context: Context,
): Promise<number> {
  const stage = await findStage(options.stage, context);
  printPlace(stage, context);
  if (command === 'events') await resendEvents(stage, options, context);
  else await onDeliveries(ON_DELIVERIES[command], stage, options, context);
  if (!context.interrupted.aborted) return 0;
  print(context.stdout, 'Interrupted: the output may be incomplete.');
  return 130;
}

/** Runs a command on the dead-letter queue of the deliveries. */
async function onDeliveries(
  command: (redrive: Redrive) => Promise<void>,
  { outputs, settings }: DeployedStage,
  options: RedriveOptions,
  context: Context,
): Promise<void> {
  await using queue = new DeadLetterQueue(new SQSClient(settings('sqs')), outputs.DeadLetterQueueUrl);
  await command({
    queue,
    queueUrl: outputs.QueueUrl,
    options,
    interrupted: context.interrupted,
    say: (text) => print(context.stdout, text),
    showProgress: (text) => progress(context.stderr, text),
    confirm: (question) => confirm(question, context),
  });
}
