import { Duration, Stack } from 'aws-cdk-lib';
import type { RestApi } from 'aws-cdk-lib/aws-apigateway';
import { type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { Key } from 'aws-cdk-lib/aws-kms';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { NodeFunction } from '../constructs/node-function.ts';
import { RETENTION_DAYS } from '../constructs/queues.ts';
import type { Exports } from '../exports/exports.ts';
import { MAX_EXPORT_AGE_HOURS } from '../exports/max-export-age.ts';
import type { Settings } from '../settings.ts';
import { countedMetric } from './metrics.ts';

export interface AlarmsProps {
  stageName: string;
  settings: Settings;
  /** Encrypts the topic. */
  key: Key;
  api: RestApi;
  queue: Queue;
  deadLetterQueue: Queue;
  /** Where there are any. */
  exports: Exports | undefined;
  functions: Readonly<Record<'Webhook' | 'Recorder' | 'Registration', NodeFunction>> & {
    ExportAge?: NodeFunction;
  };
}

export interface AlarmDefinition {
  metric: IMetric;
  /** Alarms at this value, or at one beyond it. */
  threshold: number;
  /** Whether beyond is below. */
  isLow?: boolean;
  /** How many periods; one, where it is not given. */
  periods?: number;
  /** Of how many: those periods in a row, where it is not given. */
  outOf?: number;
  /** What no data means; that all is well, where it is not given. */
  missing?: TreatMissingData;
  /** What it means. */
  means: string;
  /** What is at risk. */
  risk: string;
  /** The first command to run. */
  first: string;
}

type AlarmDefinitions = Record<string, AlarmDefinition>;

/** Every alarm of a stage, by name. A period is five minutes, the default of CDK, where it is not given. */
export function alarmDefinitions(scope: Construct, props: AlarmsProps): AlarmDefinitions {
  return {
    ...queueAlarms(scope, props),
    ...apiAlarms(scope, props),
    ...functionAlarms(props),
    ...registrationAlarms(scope, props),
    ...exportAlarms(scope, props),
    ...sessionAlarms(scope, props),
  };
}

const doctorCommand = ({ stageName }: AlarmsProps) => `npm run doctor -- --stage ${stageName}`;

const redriveCommand = ({ stageName }: AlarmsProps) => `npm run redrive -- --stage ${stageName}`;

const logsCommand = ({ logGroup }: NodeFunction) => `aws logs tail ${logGroup.logGroupName} --since 1h`;

function queueAlarms(scope: Construct, props: AlarmsProps): AlarmDefinitions {
  return {
    DeadLetters: {
      metric: props.deadLetterQueue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum' }),
      threshold: 1,
      means: 'There are deliveries that could not be recorded.',
      risk: `they are deleted ${RETENTION_DAYS.deadLetterQueue} days after they were delivered.`,
      first: redriveCommand(props),
    },
    QueueAge: {
      metric: props.queue.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum' }),
      threshold: 600,
      periods: 2,
      means:
        'Deliveries have waited for more than ten minutes: the recorder does not keep up, does not run, or the table is unavailable. An outage of up to 12 hours heals by itself.',
      risk: `analysts see sessions late. The queue keeps a delivery for ${RETENTION_DAYS.queue} days: ${RETENTION_DAYS.queue} days less the value are left. The value leaves out what was received three times, which becomes a dead letter after 14 hours.`,
      first: doctorCommand(props),
    },
    RecordsFailed: {
      metric: countedMetric(scope, 'RecordsFailed'),
      threshold: 1,
      periods: 2,
      // The longest back-off is an hour: any 26 periods (130 minutes) contain two attempts.
      outOf: 26,
      means:
        'Recording has failed at least twice within about two hours. A fault of AWS (throttled, unavailable) is retried for 14 hours, after a minute at first and every hour at last; any other error five times, within a quarter of an hour.',
      risk: 'nothing yet: what fails for longer becomes a dead letter, to be sent back once the cause is gone.',
      first: logsCommand(props.functions.Recorder),
    },
  };
}

function apiAlarms(scope: Construct, props: AlarmsProps): AlarmDefinitions {
  return {
    Webhook5xx: {
      metric: props.api.metricServerError({ statistic: 'Sum' }),
      threshold: 1,
      means: 'A delivery was answered 5xx: it could not be put into the queue, or the function did not run.',
      risk: 'it is lost, unless 8x8 repeats it, which 8x8 does not document.',
      first: logsCommand(props.functions.Webhook),
    },
    Webhook4xx: {
      metric: props.api.metricClientError({ statistic: 'Sum' }),
      threshold: 100,
      means:
        'Many requests are refused: someone else has found the URL (403, 404), 8x8 sends more than throttlingRate (429), or what we do not take (422).',
      risk: 'deliveries of 8x8, if they are among them: only what is answered 400 or 422 is kept.',
      first: `see "Deliveries by outcome" on the dashboard ${Stack.of(scope).stackName}: what is not there, API Gateway has refused; then ${redriveCommand(props)}`,
    },
    WebhookUnauthorized: {
      metric: countedMetric(scope, 'DeliveriesRejected', { reason: 'unauthorized' }),
      threshold: 1,
      means:
        'A request from an allowed address has no accepted Authorization value: 8x8 may send another one.',
      risk: 'every delivery, if it is so: what is answered 401 is not kept.',
      first: `${doctorCommand(props)}; if no session is recorded since, raise authorizationVersion by one and deploy`,
    },
  };
}

/** What is at risk when a function fails as a whole. */
const RISK_OF_ERRORS: Readonly<Record<string, string>> = {
  Webhook: 'the deliveries that were answered 5xx.',
  Recorder: 'nothing yet: the queue tries again.',
  Registration: 'nothing yet: 8x8 goes on to deliver as it did.',
  ExportAge: 'nothing yet; an export that is missing would not be noticed.',
};

function functionAlarms({ functions }: AlarmsProps): AlarmDefinitions {
  return {
    ...Object.fromEntries(
      Object.entries(functions).map(([name, each]): [string, AlarmDefinition] => [
        `${name}Errors`,
        {
          metric: each.metricErrors(),
          threshold: 1,
          means: `The function ${name} failed as a whole: it threw, timed out or could not start.`,
          risk: RISK_OF_ERRORS[name] ?? 'nothing yet.',
          first: logsCommand(each),
        },
      ]),
    ),
    WebhookThrottles: {
      metric: functions.Webhook.metricThrottles(),
      threshold: 1,
      means:
        "Lambda had no concurrency left for the webhook's function: in the account, or of its own webhookConcurrency.",
      risk: 'deliveries that were answered 5xx.',
      first:
        'aws lambda get-account-settings; then ask AWS for more, or set webhookConcurrency, or raise it, and deploy',
    },
    WebhookDuration: durationAlarm('Webhook', functions.Webhook, 'deliveries that will be answered 5xx.'),
    RecorderDuration: durationAlarm('Recorder', functions.Recorder, 'nothing yet: the queue tries again.'),
  };
}

function durationAlarm(name: string, target: NodeFunction, risk: string): AlarmDefinition {
  const timeout = target.timeout?.toMilliseconds() ?? 0;
  return {
    metric: target.metricDuration({ statistic: 'Maximum' }),
    threshold: timeout * 0.8,
    means: `The function ${name} took more than four fifths of its ${timeout / 1_000} seconds: the AWS services behind it may be slow.`,
    risk,
    first: `${logsCommand(target)}; https://health.aws.amazon.com`,
  };
}

function registrationAlarms(scope: Construct, props: AlarmsProps): AlarmDefinitions {
  const period = Duration.minutes(props.settings.registrationCheckMinutes);
  return {
    RegistrationLost: {
      metric: countedMetric(scope, 'WebhookRegistered').with({ period, statistic: 'Minimum' }),
      threshold: 0,
      isLow: true,
      // What is lost stays lost while nobody can look.
      missing: TreatMissingData.IGNORE,
      means: 'A webhook is not registered at 8x8 as it should be, or 8x8 does not let us look.',
      risk: 'every session of that sub-account, if 8x8 delivers nowhere or elsewhere; nothing yet, if only the API key is refused.',
      first: doctorCommand(props),
    },
    RegistrationUnchecked: {
      metric: countedMetric(scope, 'WebhookUnchecked').with({ period, statistic: 'Minimum' }),
      threshold: 1,
      periods: 3,
      missing: TreatMissingData.BREACHING,
      means: 'In each of three checks in a row, at least one sub-account could not be checked at 8x8.',
      risk: 'nothing yet; a lost registration would not be noticed.',
      first: doctorCommand(props),
    },
  };
}

function exportAlarms(scope: Construct, props: AlarmsProps): AlarmDefinitions {
  const { exports } = props;
  if (!exports) return {};
  const first = `aws dynamodb list-exports; what to do instead is in infra/exports/README.md, "Daily exports"`;
  return {
    ExportMissing: {
      metric: countedMetric(scope, 'ExportAge').with({ statistic: 'Maximum', period: Duration.hours(1) }),
      threshold: MAX_EXPORT_AGE_HOURS * 3_600,
      periods: 2,
      // Whatever keeps the age from being measured must not hide it.
      missing: TreatMissingData.BREACHING,
      means: `The newest complete export is more than ${MAX_EXPORT_AGE_HOURS} hours old: the last one was not started, failed, or is not complete yet. Or its age was not measured for two hours.`,
      risk: 'analysts see sessions up to that export; the table has them all.',
      first: doctorCommand(props),
    },
    ExportRefused: {
      metric: exports.refused,
      threshold: 1,
      means: 'DynamoDB refused to start an export. The scheduler tries again for four hours.',
      risk: 'nothing yet; analysts see yesterday’s sessions if it stays so.',
      first,
    },
    ExportDropped: {
      metric: exports.dropped,
      threshold: 1,
      means: 'The scheduler has given up starting an export; the next one is due tomorrow.',
      risk: 'analysts see yesterday’s sessions; the table has them all.',
      first,
    },
  };
}

function sessionAlarms(scope: Construct, props: AlarmsProps): AlarmDefinitions {
  const hours = props.settings.noSessionsHours;
  if (hours === undefined) return {};
  return {
    NoSessions: {
      metric: countedMetric(scope, 'SessionsRecorded').with({ period: Duration.hours(hours) }),
      threshold: 0,
      isLow: true,
      missing: TreatMissingData.BREACHING,
      means: `No session was recorded for ${hours} hours.`,
      risk: 'every session since, if there were any.',
      first: doctorCommand(props),
    },
  };
}
