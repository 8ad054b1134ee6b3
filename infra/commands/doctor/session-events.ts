import { DescribePipeCommand, PipesClient } from '@aws-sdk/client-pipes';
import { SQSClient } from '@aws-sdk/client-sqs';
import { queueDepth } from '../../../functions/queue/queue-depth.ts';
import type { DeployedStage } from '../stage/deployed-stage.ts';
import type { Diagnosis } from './diagnosis.ts';

/** The states of a pipe that needs no one: it runs, or is about to. */
const HEALTHY_STATES: ReadonlySet<string | undefined> = new Set([
  'RUNNING',
  'CREATING',
  'UPDATING',
  'STARTING',
]);

/** Checks that the pipe runs and has given up no event. No result if the stage publishes no session events. */
export async function sessionEvents({ name, outputs, settings }: DeployedStage): Promise<Diagnosis[]> {
  const { SessionEventsPipeName: pipeName, SessionEventsDeadLetterQueueUrl: url } = outputs;
  if (pipeName === undefined || url === undefined) return [];
  const [{ CurrentState, StateReason }, { visible, hidden }] = await Promise.all([
    new PipesClient(settings('pipes')).send(new DescribePipeCommand({ Name: pipeName })),
    queueDepth(new SQSClient(settings('sqs')), url),
  ]);
  const state = `the pipe is ${CurrentState}${StateReason ? `: ${StateReason.replace(/\.$/, '')}` : ''}`;
  const start = `. After fixing the cause: aws pipes start-pipe --name ${pipeName}`;
  const isRunning = HEALTHY_STATES.has(CurrentState);
  const count = visible + hidden;
  return [
    { isHealthy: isRunning, text: isRunning ? state : `${state}${start}` },
    ...(count === 0
      ? []
      : [
          {
            isHealthy: false,
            text: `${count} ${count === 1 ? 'event was' : 'events were'} given up. To publish them again, or delete those that are too old: npx vss-webhook redrive events --stage ${name}`,
          },
        ]),
  ];
}
