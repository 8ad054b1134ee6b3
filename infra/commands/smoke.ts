import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
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
import { report, runSteps } from './smoke/step.ts';
import { type DeployedStage, findStage, sayPlace } from './stage/deployed-stage.ts';

const HELP = `Usage: npm run smoke -- [options]

Proves that a stage works as deployed, one line for each thing: delivers a
session of its own to the webhook as 8x8 would, follows it to its record,
delivers it again (a duplicate), makes a dead letter of another and sends that
back, and publishes a test message to the topic of the alarms. Removes what it
has made, also after a failure or Ctrl-C (a second Ctrl-C ends it at once), and
says what it could not remove.

Where API Gateway refuses this machine's address (allowedSourceIps), the webhook
function is invoked instead, and a line says so.

The dead letter is there for some seconds, in which it may trigger the alarm
DeadLetters. What is delivered counts in the metrics: two sessions, a duplicate
and a rejected delivery.

Exit code 0 if all is proved, 1 if anything is not or is left behind, 2 if the
command line is wrong or the stage is not there.

Options:
${STAGE_HELP}
  --export           Also export the table to S3, which takes some minutes and
                     costs what a daily export does, and query in Athena. Not
                     for local.
  --timeout SECONDS  How long to wait for each effect of a delivery; raise it if
                     deliveries wait in the queue. Default 300.
  -h, --help         Show this.
`;

const COMMAND = {
  name: 'smoke',
  help: HELP,
  finishes: true,
  options: {
    ...STAGE_OPTION,
    export: { type: 'boolean', default: false },
    timeout: { type: 'string', default: '300' },
  },
} as const;

/** `npm run smoke`: for the operator who has deployed a stage. */
async function main({ values, interrupted }: CommandLine<typeof COMMAND.options>): Promise<void> {
  const timeoutMs = wholeNumber('timeout', values.timeout, 1, 86_400) * 1_000;
  const stage = await findStage(values.stage);
  const analytics = values.export ? analyticsOf(stage) : undefined;
  sayPlace(stage);

  const test: SmokeTest = {
    stage,
    dynamodb: new DynamoDBClient(stage.settings('dynamodb')),
    sqs: new SQSClient(stage.settings('sqs')),
    patience: { signal: interrupted, timeoutMs },
    leftovers: noLeftovers(),
  };
  const sessions = new SessionSteps(test);
  const deadLetters = new DeadLetterSteps(test, (body, notKept) => sessions.deliver(body, notKept));
  const steps = [
    ...sessions.steps,
    ...deadLetters.steps,
    alarmTopicStep(stage),
    ...(analytics ? exportSteps(test, analytics) : []),
  ];
  const isProved = await runSteps(steps, interrupted, report);
  if (interrupted.aborted)
    report('note', CLEAN_UP, 'waiting for what is on its way to the table; Ctrl-C again ends at once');
  const { removed, left } = await removeLeftovers(test, analytics);
  for (const each of left) report('WRONG', CLEAN_UP, `not removed: ${each}`);
  if (left.length === 0) report('ok', CLEAN_UP, `removed: ${removed.join(', ') || 'nothing was there'}`);
  if (!isProved || left.length > 0) process.exitCode = 1;
}

const CLEAN_UP = 'clean-up';

/** @throws UsageError where the stage has no exports. */
function analyticsOf({ name, outputs, aws }: DeployedStage): Analytics {
  if (!aws) {
    throw new UsageError(
      'The local stack has neither exports to S3 nor Athena: --export is for a deployed stage. See npm run export.',
    );
  }
  const { ExportBucketName, AthenaWorkgroup } = outputs;
  if (ExportBucketName === undefined || AthenaWorkgroup === undefined) {
    throw new UsageError(
      `The stage ${name} has no exports (its setting exports is false): leave out --export.`,
    );
  }
  return { bucket: ExportBucketName, workgroup: AthenaWorkgroup, aws };
}

await runCommand(COMMAND, main);
