import { parseArgs } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { runCommand, UsageError } from './command.ts';
import { alarmTopicStep } from './smoke/alarm-topic.ts';
import { DeadLetterSteps } from './smoke/dead-letter-steps.ts';
import { type Analytics, exportSteps } from './smoke/export-steps.ts';
import { interruption } from './smoke/interruption.ts';
import { noLeftovers } from './smoke/leftovers.ts';
import { removeLeftovers } from './smoke/remove-leftovers.ts';
import { SessionSteps } from './smoke/session-steps.ts';
import type { SmokeTest } from './smoke/smoke-test.ts';
import { reasonOf, report, runSteps } from './smoke/step.ts';
import { findStage, type Stage } from './stage.ts';

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
  --stage NAME       The deployed stage, with the shell's AWS credentials and
                     region. Or local, while npm start runs (local:4000 if it
                     listens on another port than 3000). Default dev.
  --export           Also export the table to S3, which takes some minutes and
                     costs what a daily export does, and query in Athena. Not
                     for local.
  --timeout SECONDS  How long to wait for each effect of a delivery; raise it if
                     deliveries wait in the queue. Default 300.
  -h, --help         Show this.
`;

/** `npm run smoke`: for the operator who has deployed a stage. */
async function main(): Promise<void> {
  const options = readOptions();
  if (options.help) return void process.stdout.write(HELP);
  const stage = await findStage(options.stage).catch((error: Error) => {
    throw new UsageError(error.message, { cause: error });
  });
  const analytics = options.export ? analyticsOf(stage, options.stage) : undefined;

  const test: SmokeTest = {
    stage,
    dynamodb: new DynamoDBClient(stage.dynamodb),
    sqs: new SQSClient(stage.sqs),
    patience: { signal: interrupted.signal, timeoutMs: options.timeoutMs },
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
  const isProved = await runSteps(steps, interrupted.signal, report);
  if (interrupted.signal.aborted)
    report('note', CLEAN_UP, 'waiting for what is on its way to the table; Ctrl-C again ends at once');
  const { removed, left } = await removeLeftovers(test, analytics?.bucket ?? '');
  for (const each of left) report('WRONG', CLEAN_UP, `not removed: ${each}`);
  if (left.length === 0) report('ok', CLEAN_UP, `removed: ${removed.join(', ') || 'nothing was there'}`);
  if (!isProved || left.length > 0) process.exitCode = 1;
}

const CLEAN_UP = 'clean-up';

interface Options {
  stage: string;
  export: boolean;
  timeoutMs: number;
  help: boolean;
}

/** @throws UsageError */
function readOptions(): Options {
  const { values } = parsed();
  const seconds = Number(values.timeout);
  if (!/^\d+$/.test(values.timeout) || seconds < 1 || seconds > 86_400)
    throw new UsageError(
      `--timeout takes a whole number of seconds from 1 to 86400, not "${values.timeout}"`,
    );
  if (values.export && /^local(:|$)/.test(values.stage)) {
    throw new UsageError(
      'The local stack has neither exports to S3 nor Athena: --export is for a deployed stage. See npm run export.',
    );
  }
  return { ...values, timeoutMs: seconds * 1_000 };
}

function parsed() {
  try {
    return parseArgs({
      options: {
        stage: { type: 'string', default: 'dev' },
        export: { type: 'boolean', default: false },
        timeout: { type: 'string', default: '300' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(`${reasonOf(error).split(/[.\n]/, 1)[0]}. See --help.`, { cause: error });
  }
}

/** @throws UsageError where the stage has no exports. */
function analyticsOf({ outputs }: Stage, name: string): Analytics {
  const { ExportBucketName, AthenaWorkgroup } = outputs;
  if (ExportBucketName === undefined || AthenaWorkgroup === undefined) {
    throw new UsageError(
      `The stage ${name} has no exports (its setting exports is false): leave out --export.`,
    );
  }
  return { bucket: ExportBucketName, workgroup: AthenaWorkgroup };
}

const interrupted = interruption();
// Also when nobody reads what is printed any more, there is something to remove.
await runCommand(main, () => interrupted.abort());
