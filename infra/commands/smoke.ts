import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { printStatus } from '../terminal/status-line.ts';
import {
  type CommandLine,
  runCommand,
  STAGE_HELP,
  STAGE_OPTION,
  UsageError,
} from './command-line/command.ts';
import { wholeNumber } from './command-line/number-option.ts';
import { alarmTopicStep } from './smoke/alarm-topic.ts';
import { DeadLetterSteps } from './smoke/dead-letter-steps.ts';
import { type Analytics, exportSteps } from './smoke/export-steps.ts';
import { noLeftovers } from './smoke/leftovers.ts';
import { removeLeftovers } from './smoke/remove-leftovers.ts';
import { SessionSteps } from './smoke/session-steps.ts';
import type { SmokeTest } from './smoke/smoke-test.ts';
import { runSteps } from './smoke/step.ts';
import { type DeployedStage, findStage, printPlace } from './stage/deployed-stage.ts';

const HELP = `Usage: npm run smoke -- [options]

Tests a deployed stage end to end and prints one line per step: delivers a test
session to the webhook as 8x8 would, waits for its record, delivers it again (a
duplicate), delivers one of an unknown sub-account, sends the resulting dead
letter back to the queue, and publishes a test message to the alarm topic. Removes
all test data afterwards, also after a failure or Ctrl-C, and reports what it
could not remove. A second Ctrl-C exits immediately and removes nothing more.

If API Gateway does not allow this machine's address (allowedSourceIps), the
command invokes the webhook function instead, and prints a note.

The dead letter exists for some seconds and may trigger the alarm DeadLetters. The
metrics include the test data: two recorded sessions, a duplicate and a rejected
delivery.

Exit code 0 if every step passes, 1 if a step fails or test data is left behind, 2
if the command line is invalid or the stage does not exist.

Options:
${STAGE_HELP}
  --export           Also export the table to S3 and run a query in Athena. Takes
                     some minutes and costs as much as a daily export. Not
                     available for local.
  --timeout SECONDS  How long to wait for each effect of a delivery. Raise it if
                     the queue has a backlog. Default 300.
  -h, --help         Show this help.
`;

const COMMAND = {
  name: 'smoke',
  help: HELP,
  cleansUp: true,
  options: {
    ...STAGE_OPTION,
    export: { type: 'boolean', default: false },
    timeout: { type: 'string', default: '300' },
  },
} as const;

async function main({ values, interrupted }: CommandLine<typeof COMMAND.options>): Promise<void> {
  const timeoutMs = wholeNumber('timeout', values.timeout, 1, 86_400) * 1_000;
  const stage = await findStage(values.stage);
  const analytics = values.export ? analyticsOf(stage) : undefined;
  printPlace(stage);

  const test: SmokeTest = {
    stage,
    dynamodb: new DynamoDBClient(stage.settings('dynamodb')),
    sqs: new SQSClient(stage.settings('sqs')),
    waitOptions: { signal: interrupted, timeoutMs },
    leftovers: noLeftovers(),
  };
  const sessions = new SessionSteps(test);
  const deadLetters = new DeadLetterSteps(test, (body, onNotStored) => sessions.deliver(body, onNotStored));
  const steps = [
    ...sessions.steps,
    ...deadLetters.steps,
    alarmTopicStep(stage),
    ...(analytics ? exportSteps(test, analytics) : []),
  ];
  const hasPassed = await runSteps(steps, interrupted, printStatus);
  if (interrupted.aborted)
    printStatus('note', CLEAN_UP, 'waiting for deliveries in flight; press Ctrl-C again to exit immediately');
  const { removed, left } = await removeLeftovers(test, analytics);
  for (const each of left) printStatus('FAIL', CLEAN_UP, `not removed: ${each}`);
  if (left.length === 0) printStatus('ok', CLEAN_UP, `removed: ${removed.join(', ') || 'nothing to remove'}`);
  if (!hasPassed || left.length > 0) process.exitCode = 1;
}

const CLEAN_UP = 'clean-up';

/** @throws UsageError if the stage has no exports. */
function analyticsOf({ name, outputs, aws }: DeployedStage): Analytics {
  if (!aws) {
    throw new UsageError(
      '--export needs a deployed stage: the local stack has no S3 exports and no Athena. See npm run export.',
    );
  }
  const { ExportBucketName, AthenaWorkgroup } = outputs;
  if (ExportBucketName === undefined || AthenaWorkgroup === undefined) {
    throw new UsageError(
      `The stage ${name} has no exports, because its setting exports is false. Run without --export.`,
    );
  }
  return { bucket: ExportBucketName, workgroup: AthenaWorkgroup, aws };
}

await runCommand(COMMAND, main);
