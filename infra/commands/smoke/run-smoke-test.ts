import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { printStatus, type Status } from '../../terminal/output.ts';
import { type Context, UsageError } from '../command-line/command.ts';
import { type DeployedStage, findStage, printPlace } from '../stage/deployed-stage.ts';
import { alarmTopicStep } from './alarm-topic.ts';
import { DeadLetterSteps } from './dead-letter-steps.ts';
import { type Analytics, exportSteps } from './export-steps.ts';
import { noLeftovers } from './leftovers.ts';
import { registrationStep } from './registration.ts';
import { removeLeftovers } from './remove-leftovers.ts';
import { SessionSteps } from './session-steps.ts';
import type { SmokeTest } from './smoke-test.ts';
import { runSteps } from './step.ts';

export interface SmokeOptions {
  stage: string;
  /** Whether to test the export to S3 and Athena. */
  export: boolean;
  /** How long to wait for each effect of a delivery. */
  timeoutMs: number;
}

/** Runs the steps and removes the test data. Returns the exit code. */
export async function runSmokeTest(options: SmokeOptions, context: Context): Promise<number> {
  const { stdout, interrupted } = context;
  const stage = await findStage(options.stage, context);
  const analytics = options.export ? analyticsOf(stage) : undefined;
  printPlace(stage, context);

  const report = (status: Status, step: string, text: string) => printStatus(stdout, status, step, text);
  const test: SmokeTest = {
    stage,
    dynamodb: new DynamoDBClient(stage.settings('dynamodb')),
    sqs: new SQSClient(stage.settings('sqs')),
    waitOptions: { signal: interrupted, timeoutMs: options.timeoutMs },
    leftovers: noLeftovers(),
  };
  const sessions = new SessionSteps(test);
  const deadLetters = new DeadLetterSteps(test, (body, onNotStored) => sessions.deliver(body, onNotStored));
  const steps = [
    registrationStep(test),
    ...sessions.steps,
    ...deadLetters.steps,
    alarmTopicStep(stage),
    ...(analytics ? exportSteps(test, analytics) : []),
  ];
  const hasPassed = await runSteps(steps, interrupted, report);
  if (interrupted.aborted)
    report('note', CLEAN_UP, 'waiting for deliveries in flight; press Ctrl-C again to exit immediately');
  const { removed, left } = await removeLeftovers(test, analytics);
  for (const each of left) report('FAIL', CLEAN_UP, `not removed: ${each}`);
  if (left.length === 0) report('ok', CLEAN_UP, `removed: ${removed.join(', ') || 'nothing to remove'}`);
  return hasPassed && left.length === 0 ? 0 : 1;
}

const CLEAN_UP = 'clean-up';

/** @throws UsageError if the stage has no exports. */
function analyticsOf({ name, outputs, settings, isLocal }: DeployedStage): Analytics {
  if (isLocal) {
    throw new UsageError(
      '--export needs a deployed stage: the local stack has no S3 exports and no Athena. See npx vss-webhook export.',
    );
  }
  const { ExportBucketName, AthenaWorkgroup } = outputs;
  if (ExportBucketName === undefined || AthenaWorkgroup === undefined) {
    throw new UsageError(
      `The stage ${name} has no exports, because its setting exports is false. Run without --export.`,
    );
  }
  return { bucket: ExportBucketName, workgroup: AthenaWorkgroup, settings };
}
