import { once } from 'node:events';
import { SQSClient } from '@aws-sdk/client-sqs';
import { queueDepth } from '../../../functions/queue/queue-depth.ts';
import { MAX_EXPORT_AGE_HOURS } from '../../monitoring/thresholds.ts';
import { age } from '../../terminal/age.ts';
import { printStatus, progress } from '../../terminal/output.ts';
import { reasonOf } from '../../terminal/reason-of.ts';
import type { Context } from '../command-line/command.ts';
import { DeadLetterQueue } from '../dead-letters/dead-letter-queue.ts';
import { checkRegistrations, registrationProblem } from '../stage/check-registrations.ts';
import { type DeployedStage, findStage, printPlace } from '../stage/deployed-stage.ts';
import { countedBy, newestFirst } from '../stage/metric.ts';
import { blockedRequests } from './blocked-requests.ts';
import type { Diagnosis } from './diagnosis.ts';
import { reconciliation } from './reconciliation.ts';
import { sessionEvents } from './session-events.ts';

/** A message that is older than this has failed and waits for its retry, or the recorder cannot keep up. */
const MAX_AGE_SECONDS = 300;

/** The maximum number of dead letters that are read to count their reasons. */
const MAX_LETTERS = 1_000;

/** How many days back to search for metrics. CloudWatch keeps periods of five minutes for 63 days. */
const LOOK_BACK_DAYS = 14;
const PERIOD_SECONDS = 300;

/** Runs all checks of a stage and prints their results. Returns the exit code. */
export async function checkStage(stageName: string, context: Context): Promise<number> {
  const { stdout, stderr, interrupted } = context;
  const stage = await findStage(stageName, context);
  printPlace(stage, context);
  const checks = {
    registration: resultOf(registrations(stage)),
    requests: resultOf(blockedRequests(stage)),
    queue: resultOf(queue(stage)),
    'dead letters': resultOf(deadLetters(stage, interrupted)),
    'last session': resultOf(lastSession(stage)),
    exports: resultOf(exportAge(stage)),
    'log export': resultOf(reconciliation(stage)),
    events: resultOf(sessionEvents(stage)),
  };
  const aborted = once(interrupted, 'abort').then(() => undefined);
  let code = 0;
  for (const [name, check] of Object.entries(checks)) {
    progress(stderr, `${name} …`);
    const diagnoses = await Promise.race([check, aborted]);
    progress(stderr);
    if (!diagnoses) break;
    for (const { isHealthy, text } of diagnoses) {
      printStatus(stdout, isHealthy ? 'ok' : 'FAIL', name, text);
      if (!isHealthy) code = 1;
    }
  }
  if (!interrupted.aborted) return code;
  // This check has to make the messages that it received visible again. The other checks need no clean-up.
  await checks['dead letters'];
  return 130;
}

/** Turns an exception into a failed check, so that the other checks are still reported. */
async function resultOf(check: Promise<Diagnosis[]>): Promise<Diagnosis[]> {
  try {
    return await check;
  } catch (error) {
    return [{ isHealthy: false, text: `could not be checked: ${reasonOf(error)}` }];
  }
}

async function registrations(stage: DeployedStage) {
  return (await checkRegistrations(stage)).map((checked) => {
    const problem = registrationProblem(checked);
    const text = problem ?? `${checked.subAccountId}: 8x8 delivers to ${stage.outputs.WebhookUrl}`;
    return { isHealthy: problem === undefined, text };
  });
}

async function queue({ outputs, settings }: DeployedStage) {
  const { visible, hidden } = await queueDepth(new SQSClient(settings('sqs')), outputs.QueueUrl);
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
  const isHealthy = seconds <= MAX_AGE_SECONDS;
  const hint = isHealthy
    ? ''
    : `, more than ${MAX_AGE_SECONDS} s: recording is failing or slow; see the recorder's log`;
  const isEmpty = visible + hidden + seconds === 0;
  const text = `${visible} waiting, ${hidden} in flight; the oldest is ${seconds} s old${hint}`;
  return [{ isHealthy, text: isEmpty ? 'empty' : text }];
}

async function deadLetters({ name, outputs, settings }: DeployedStage, interrupted: AbortSignal) {
  const sqs = new SQSClient(settings('sqs'));
  const { visible, hidden } = await queueDepth(sqs, outputs.DeadLetterQueueUrl);
  const count = visible + hidden;
  if (count === 0) return [{ isHealthy: true, text: 'none' }];

  await using queue = new DeadLetterQueue(sqs, outputs.DeadLetterQueueUrl);
  const reasons = new Map<string, number>();
  let read = 0;
  for await (const { reason } of queue.letters(interrupted, { most: MAX_LETTERS })) {
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    read++;
  }
  const byReason = [...reasons].map(([reason, number]) => `${reason} ${number}`).join(', ');
  const scope = read === MAX_LETTERS ? ` (of the first ${read})` : '';
  return [
    {
      isHealthy: false,
      text: `${count}: ${byReason || 'all being read by another command'}${scope}. To list them: npx vss-webhook redrive --stage ${name}`,
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
  const when = last ? `recorded ${age(last.at)} ago` : `none recorded in the last ${LOOK_BACK_DAYS} days`;
  return [{ isHealthy: true, text: isRecent ? `recorded in the last ${PERIOD_SECONDS / 60} minutes` : when }];
}

async function exportAge({ outputs, settings, stackName }: DeployedStage) {
  if (outputs.AthenaWorkgroup === undefined) return [];
  const newestOf = async (name: string) => {
    const [newest] = await newestFirst(settings('cloudwatch'), {
      metric: countedBy(stackName, name),
      stat: 'Maximum',
      since: Date.now() - LOOK_BACK_DAYS * 86_400_000,
      periodSeconds: PERIOD_SECONDS,
    });
    return newest;
  };
  const [newest, none] = await Promise.all([newestOf('ExportAge'), newestOf('NoCompleteExport')]);
  if (!newest)
    return [{ isHealthy: false, text: 'their age was not measured; see the log of the function Exports' }];
  const dataAt = newest.at - newest.value * 1_000;
  const hours = (Date.now() - dataAt) / 3_600_000;
  const isHealthy = hours < MAX_EXPORT_AGE_HOURS;
  const hint = isHealthy
    ? ''
    : '. An export is due every day: the log of the function Exports shows why one failed. Next steps: infra/exports/README.md, "Daily exports"';
  const since =
    none?.at === newest.at
      ? 'since the table was created: no export is complete yet'
      : 'since the newest complete export';
  return [{ isHealthy, text: `measured ${age(newest.at)} ago: ${Math.floor(hours)} hours ${since}${hint}` }];
}
