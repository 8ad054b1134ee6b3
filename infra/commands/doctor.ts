import { once } from 'node:events';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import * as v from 'valibot';
import { type CheckEvent, Checked } from '../../functions/registration/check.ts';
import { MAX_EXPORT_AGE_HOURS } from '../exports/max-export-age.ts';
import { age } from '../terminal/age.ts';
import { progress } from '../terminal/progress.ts';
import { reasonOf } from '../terminal/reason-of.ts';
import { type CommandLine, runCommand, STAGE_HELP, STAGE_OPTION } from './command-line/command.ts';
import { DeadLetterQueue, depthOf } from './dead-letters/dead-letter-queue.ts';
import { type DeployedStage, findStage, sayPlace } from './stage/deployed-stage.ts';
import { countedBy, newestFirst } from './stage/metric.ts';

const HELP = `Usage: npm run doctor -- [options]

Checks a stage and prints one line for each check: whether 8x8 has the webhook of
every sub-account registered, how many deliveries wait and for how long, what is
in the dead-letter queue, when the last session was recorded (never wrong: there
may have been none), and how old the newest export is. It changes nothing. The
exit code is 1 if anything is wrong.

8x8 does not show the Authorization value that it sends; if it were another one,
the webhook would answer 401. 8x8 is asked about four sub-accounts per second.
If it does not answer, or limits the rate, that takes up to two minutes longer.

Options:
${STAGE_HELP}
  -h, --help         Show this.
`;

/** What was found out about one thing. */
interface Diagnosis {
  isWell: boolean;
  text: string;
}

/** A message that is older has failed and waits for its next attempt, or the recorder does not keep up. */
const OLD_SECONDS = 300;

/** So many dead letters are looked at for their reasons. */
const MOST_LETTERS = 1_000;

/** How far back sessions are looked for, and how exactly. CloudWatch keeps periods of five minutes for 63 days. */
const LOOK_BACK_DAYS = 14;
const PERIOD_SECONDS = 300;

const COMMAND = {
  name: 'doctor',
  help: HELP,
  finishes: true,
  options: STAGE_OPTION,
} as const;

/** `npm run doctor`: for the operator of a stage. */
async function main({ values, interrupted }: CommandLine<typeof COMMAND.options>): Promise<void> {
  const stage = await findStage(values.stage);
  sayPlace(stage);
  const examinations = {
    registration: examine(registrations(stage)),
    queue: examine(queue(stage)),
    'dead letters': examine(deadLetters(stage, interrupted)),
    'last session': examine(lastSession(stage)),
    exports: examine(exportAge(stage)),
  };
  const ended = once(interrupted, 'abort').then(() => undefined);
  for (const [of, examination] of Object.entries(examinations)) {
    progress(`${of} …`);
    const diagnoses = await Promise.race([examination, ended]);
    progress();
    if (!diagnoses) break;
    for (const { isWell, text } of diagnoses) {
      process.stdout.write(`${isWell ? 'ok   ' : 'WRONG'}  ${of.padEnd(12)}  ${text}\n`);
      if (!isWell) process.exitCode = 1;
    }
  }
  if (!interrupted.aborted) return;
  // What was read of the dead-letter queue has to become visible again; nothing else has to be finished.
  await examinations['dead letters'];
  process.exit(130);
}

/** One thing that cannot be examined must not hide the others. */
async function examine(found: Promise<Diagnosis[]>): Promise<Diagnosis[]> {
  try {
    return await found;
  } catch (error) {
    return [{ isWell: false, text: `cannot be examined: ${reasonOf(error)}` }];
  }
}

/** Asks the function that registers, which has the API key. */
async function registrations({ outputs, settings }: DeployedStage) {
  const url = outputs.WebhookUrl;
  const event: CheckEvent = { check: { url, subAccountIds: outputs.SubAccountIds.split(',') } };
  const { Payload, FunctionError } = await new LambdaClient(settings('lambda')).send(
    new InvokeCommand({ FunctionName: outputs.RegistrationFunctionName, Payload: JSON.stringify(event) }),
  );
  const answer: unknown = JSON.parse(Payload?.transformToString() ?? '');
  if (FunctionError) throw new Error(`the registration function failed: ${Object(answer).errorMessage}`);
  return v.parse(v.array(Checked), answer).map(({ subAccountId, problem }) => ({
    isWell: !problem,
    text: `${subAccountId}: ${problem ? `${problem.finding}. ${problem.description}` : `8x8 delivers to ${url}`}`,
  }));
}

async function queue({ outputs, settings }: DeployedStage) {
  const { visible, hidden } = await depthOf(new SQSClient(settings('sqs')), outputs.QueueUrl);
  const QueueName = outputs.QueueUrl.split('/').at(-1);
  const [newest] = await newestFirst(settings('cloudwatch'), {
    metric: {
      Namespace: 'AWS/SQS',
      MetricName: 'ApproximateAgeOfOldestMessage',
      Dimensions: [{ Name: 'QueueName', Value: QueueName }],
    },
    stat: 'Maximum',
    since: Date.now() - 600_000,
    periodSeconds: 60,
  });
  const seconds = newest?.value ?? 0;
  const isWell = seconds <= OLD_SECONDS;
  const hint = isWell
    ? ''
    : `: more than ${OLD_SECONDS} s, so recording fails or is slow; see the recorder's log`;
  const isEmpty = visible + hidden + seconds === 0;
  const text = `${visible} waiting, ${hidden} being recorded, the oldest for ${seconds} s${hint}`;
  return [{ isWell, text: isEmpty ? 'empty' : text }];
}

async function deadLetters({ name, outputs, settings }: DeployedStage, interrupted: AbortSignal) {
  const sqs = new SQSClient(settings('sqs'));
  const { visible, hidden } = await depthOf(sqs, outputs.DeadLetterQueueUrl);
  const count = visible + hidden;
  if (count === 0) return [{ isWell: true, text: 'none' }];

  await using queue = new DeadLetterQueue(sqs, outputs.DeadLetterQueueUrl);
  const reasons = new Map<string, number>();
  let looked = 0;
  for await (const { reason } of queue.letters(interrupted, { most: MOST_LETTERS })) {
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    looked++;
  }
  const byReason = [...reasons].map(([reason, number]) => `${reason} ${number}`).join(', ');
  const part = looked === MOST_LETTERS ? ` (of the first ${looked})` : '';
  return [
    {
      isWell: false,
      text: `${count}: ${byReason || 'all being read by another command'}${part}. Look at them: npm run redrive -- --stage ${name}`,
    },
  ];
}

async function lastSession({ settings, stackName }: DeployedStage) {
  const counts = await newestFirst(settings('cloudwatch'), {
    metric: countedBy(stackName, 'SessionsRecorded'),
    stat: 'Sum',
    since: Date.now() - LOOK_BACK_DAYS * 86_400_000,
    periodSeconds: PERIOD_SECONDS,
  });
  const last = counts.find(({ value }) => value > 0);
  const isRecent = last && Date.now() - last.at < PERIOD_SECONDS * 1_000;
  const when = last ? `recorded ${age(last.at)} ago` : `none recorded within ${LOOK_BACK_DAYS} days`;
  return [
    { isWell: true, text: isRecent ? `recorded within the last ${PERIOD_SECONDS / 60} minutes` : when },
  ];
}

async function exportAge({ outputs, settings, stackName }: DeployedStage) {
  if (outputs.ExportBucketName === undefined) return [];
  const [newest] = await newestFirst(settings('cloudwatch'), {
    metric: countedBy(stackName, 'ExportAge'),
    stat: 'Maximum',
    since: Date.now() - LOOK_BACK_DAYS * 86_400_000,
    periodSeconds: PERIOD_SECONDS,
  });
  if (!newest)
    return [{ isWell: false, text: 'their age is not measured; see the log of the function ExportAge' }];
  const dataAt = newest.at - newest.value * 1_000;
  const hours = (Date.now() - dataAt) / 3_600_000;
  const isWell = hours < MAX_EXPORT_AGE_HOURS;
  const hint = isWell
    ? ''
    : `: one is due every day. The log of the function ExportAge says why an export failed; what to do: infra/exports/README.md, "Daily exports"`;
  return [
    {
      isWell,
      text: `the newest complete one, or the table while there is none, is ${Math.floor(hours)} hours old${hint}`,
    },
  ];
}

await runCommand(COMMAND, main);
