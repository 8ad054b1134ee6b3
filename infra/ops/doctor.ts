import { parseArgs } from 'node:util';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import * as v from 'valibot';
import { type CheckEvent, Checked } from '../../functions/registration/check.ts';
import { MAX_EXPORT_AGE_HOURS } from '../max-export-age.ts';
import { age } from './age.ts';
import { runCommand } from './command.ts';
import { type DeadLetter, receiveAll, release } from './dead-letters.ts';
import { countedBy, newestFirst } from './metric.ts';
import { findStage, type Stage } from './stage.ts';

const HELP = `Usage: npm run doctor -- [options]

Says how a stage is, one line for each thing: whether 8x8 has the webhook of
every sub-account registered, what waits in the queue and for how long, what is
in the dead-letter queue, when the last session was recorded (which is never
wrong: there may have been none), and how old the newest export is. Changes nothing. Exit code 1 if anything else
is wrong. 8x8 does not show the Authorization value that it sends; if it were
another one, the webhook would answer 401. Asks 8x8 about four sub-accounts a
second; takes up to two minutes longer when 8x8 does not answer, or limits the
rate.

Options:
  --stage NAME  The deployed stage, with the shell's AWS credentials and region.
                Or local, while npm start runs (local:4000 if it listens on
                another port than 3000). Default dev.
  -h, --help    Show this.
`;

/** What was found out about one thing. */
interface Diagnosis {
  of: string;
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

/** `npm run doctor`: for the operator of a stage. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      stage: { type: 'string', default: 'dev' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);

  const stage = await findStage(values.stage);
  const examinations = [
    examine('registration', registrations(stage)),
    examine('queue', queue(stage)),
    examine('dead letters', deadLetters(stage, values.stage)),
    examine('last session', lastSession(stage)),
    examine('exports', exportAge(stage)),
  ];
  for (const examination of examinations) {
    for (const { of, isWell, text } of await examination) {
      process.stdout.write(`${isWell ? 'ok   ' : 'WRONG'}  ${of.padEnd(12)}  ${text}\n`);
      if (!isWell) process.exitCode = 1;
    }
  }
}

/** One thing that cannot be examined must not hide the others. */
async function examine(of: string, found: Promise<Omit<Diagnosis, 'of'>[]>): Promise<Diagnosis[]> {
  try {
    return (await found).map((diagnosis) => ({ of, ...diagnosis }));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return [{ of, isWell: false, text: `cannot be examined: ${reason}` }];
  }
}

/** Asks the function that registers, which has the API key. */
async function registrations({ outputs, lambda }: Stage) {
  const url = outputs.WebhookUrl;
  const event: CheckEvent = { check: { url, subAccountIds: outputs.SubAccountIds.split(',') } };
  const { Payload, FunctionError } = await new LambdaClient(lambda).send(
    new InvokeCommand({ FunctionName: outputs.RegistrationFunctionName, Payload: JSON.stringify(event) }),
  );
  const answer: unknown = JSON.parse(Payload?.transformToString() ?? '');
  if (FunctionError) throw new Error(`the registration function failed: ${Object(answer).errorMessage}`);
  return v.parse(v.array(Checked), answer).map(({ subAccountId, problem }) => ({
    isWell: !problem,
    text: `${subAccountId}: ${problem ? `${problem.finding}. ${problem.description}` : `8x8 delivers to ${url}`}`,
  }));
}

async function queue({ outputs, sqs, cloudWatch }: Stage) {
  const { waiting, inWork } = await depth(sqs, outputs.QueueUrl);
  const QueueName = outputs.QueueUrl.split('/').at(-1);
  const [newest] = await newestFirst(cloudWatch, {
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
  const isEmpty = waiting + inWork + seconds === 0;
  const text = `${waiting} waiting, ${inWork} being recorded, the oldest for ${seconds} s${hint}`;
  return [{ isWell, text: isEmpty ? 'empty' : text }];
}

async function deadLetters({ outputs, sqs }: Stage, stageName: string) {
  const { waiting, inWork } = await depth(sqs, outputs.DeadLetterQueueUrl);
  if (waiting + inWork === 0) return [{ isWell: true, text: 'none' }];

  const client = new SQSClient(sqs);
  const held = new Set<DeadLetter>();
  const enough = new AbortController();
  const reasons = new Map<string, number>();
  try {
    for await (const { reason } of receiveAll(client, outputs.DeadLetterQueueUrl, held, enough.signal)) {
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      if (held.size >= MOST_LETTERS) enough.abort();
    }
  } finally {
    await release(client, outputs.DeadLetterQueueUrl, [...held]);
  }
  const byReason = [...reasons].map(([reason, count]) => `${reason} ${count}`).join(', ');
  const looked = enough.signal.aborted ? ` (of the first ${held.size})` : '';
  return [
    {
      isWell: false,
      text: `${waiting + inWork}: ${byReason || 'all being looked at by another command'}${looked}. Look at them: npm run redrive -- --stage ${stageName}`,
    },
  ];
}

async function lastSession({ cloudWatch, stackName }: Stage) {
  const counts = await newestFirst(cloudWatch, {
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

async function exportAge({ outputs, cloudWatch, stackName }: Stage) {
  if (outputs.ExportBucketName === undefined) return [];
  const [newest] = await newestFirst(cloudWatch, {
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
    : `: one is due every day. The log of the function ExportAge says why an export failed; what to do: README.md, "Exports"`;
  return [
    {
      isWell,
      text: `the newest complete one, or the table while there is none, is ${Math.floor(hours)} hours old${hint}`,
    },
  ];
}

/** How many messages a queue has: to be received, and received but not yet deleted. */
async function depth(sqs: Stage['sqs'], queueUrl: string): Promise<{ waiting: number; inWork: number }> {
  const { Attributes } = await new SQSClient(sqs).send(
    new GetQueueAttributesCommand({
      QueueUrl: queueUrl,
      AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
    }),
  );
  return {
    waiting: Number(Attributes?.['ApproximateNumberOfMessages'] ?? 0),
    inWork: Number(Attributes?.['ApproximateNumberOfMessagesNotVisible'] ?? 0),
  };
}

await runCommand(main);
