import { Duration, Stack } from 'aws-cdk-lib';
import { MathExpression, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { NodeFunction } from '../constructs/node-function.ts';
import { RETENTION_DAYS } from '../constructs/queues.ts';
import {
  type AlarmDefinition,
  type AlarmDefinitions,
  type AlarmsProps,
  doctorCommand,
  logsCommand,
  redriveCommand,
} from './alarm-definition.ts';
import { countedMetric } from './metrics.ts';
import { reconciliationAlarms } from './reconciliation-alarms.ts';
import { sessionEventAlarms } from './session-event-alarms.ts';
import { BLOCKED_REQUESTS, MAX_EXPORT_AGE_HOURS } from './thresholds.ts';

/** Every alarm of a stage, by name. Metrics without a period have CDK's default, five minutes. */
export function alarmDefinitions(scope: Construct, props: AlarmsProps): AlarmDefinitions {
  return {
    ...queueAlarms(scope, props),
    ...apiAlarms(scope, props),
    ...functionAlarms(props),
    ...registrationAlarms(scope, props),
    ...exportAlarms(scope, props),
    ...reconciliationAlarms(scope, props),
    ...sessionEventAlarms(scope, props),
    ...sessionAlarms(scope, props),
  };
}

function queueAlarms(scope: Construct, props: AlarmsProps): AlarmDefinitions {
  return {
    DeadLetters: {
      metric: props.deadLetterQueue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum' }),
      threshold: 1,
      means: 'The dead-letter queue contains deliveries that could not be recorded.',
      risk: `they are deleted ${RETENTION_DAYS.deadLetterQueue} days after they were delivered.`,
      first: redriveCommand(props),
    },
    QueueAge: {
      metric: props.queue.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum' }),
      threshold: 600,
      periods: 2,
      means:
        'The oldest delivery has waited for more than ten minutes: the recorder does not keep up or does not run, or the table is unavailable. After an outage of up to 12 hours the recorder catches up by itself.',
      risk: `analysts see sessions late. The queue keeps a delivery for ${RETENTION_DAYS.queue} days: ${RETENTION_DAYS.queue} days minus the value of the metric remain. The metric excludes messages that were received three times; those become dead letters after 14 hours.`,
      first: doctorCommand(props),
    },
    RecordsFailed: {
      metric: countedMetric(scope, 'RecordsFailed'),
      threshold: 1,
      periods: 2,
      // Attempts are at most an hour apart (retry-policy.ts), so any 130 minutes contain two of them.
      outOf: 26,
      means:
        'Recording has failed at least twice within about two hours. After an AWS error (throttled, unavailable) a message is retried for 14 hours, with a back-off that grows from one minute to one hour. After any other error there are five attempts within a quarter of an hour.',
      risk: 'nothing yet: a delivery that keeps failing becomes a dead letter. Redrive it once the cause is fixed.',
      first: logsCommand(props.functions.Recorder),
    },
  };
}

function apiAlarms(scope: Construct, props: AlarmsProps): AlarmDefinitions {
  return {
    Webhook5xx: {
      metric: props.api.metricServerError({ statistic: 'Sum' }),
      threshold: 1,
      means: 'A delivery was answered 5xx: it could not be sent to the queue, or the function did not run.',
      risk: 'that delivery. It is lost unless 8x8 retries it; 8x8 documents no retries.',
      first: logsCommand(props.functions.Webhook),
    },
    Webhook4xx: {
      metric: props.api.metricClientError({ statistic: 'Sum' }),
      threshold: 100,
      means:
        'Many requests are rejected: someone else has found the URL (403, 404), or 8x8 exceeds throttlingRate (429) or sends bodies that the webhook does not accept (422).',
      risk: 'deliveries from 8x8, if the rejected requests include any. Only requests that are answered 400 or 422 are kept.',
      first: `see "Deliveries by outcome" on the dashboard ${Stack.of(scope).stackName}; API Gateway rejected the requests for which it shows no reason. Then ${redriveCommand(props)}`,
    },
    WebhookBlocked: {
      metric: new MathExpression({
        expression: `IF(FILL(refused, 0) - FILL(invoked, 0) >= ${BLOCKED_REQUESTS} AND FILL(accepted, 0) < 1, 1, 0)`,
        usingMetrics: {
          refused: props.api.metricClientError({ statistic: 'Sum' }),
          invoked: props.functions.Webhook.metricInvocations(),
          accepted: countedMetric(scope, 'DeliveriesAccepted'),
        },
        period: Duration.hours(1),
      }),
      threshold: 1,
      periods: 3,
      means: `In each of three consecutive hours, API Gateway refused at least ${BLOCKED_REQUESTS} requests before the function, and no delivery was accepted. 8x8 may send from new addresses. On an idle stage, someone may be scanning the URL.`,
      risk: 'every delivery, if the requests are from 8x8: they are not kept.',
      first: `${doctorCommand(props)}; then follow "8x8 sends from new addresses" in infra/README.md`,
    },
    WebhookUnauthorized: {
      metric: countedMetric(scope, 'DeliveriesRejected', { reason: 'unauthorized' }),
      threshold: 1,
      means:
        'A request from an allowed address had no accepted Authorization value: 8x8 may send a different one.',
      risk: 'every delivery, if 8x8 does: requests that are answered 401 are not kept.',
      first: `${doctorCommand(props)}; if no session has been recorded since, raise authorizationVersion by one and deploy`,
    },
  };
}

/** What is at risk when an invocation of a function fails. */
const RISK_OF_ERRORS: Readonly<Record<string, string>> = {
  Webhook: 'the deliveries that were answered 5xx.',
  Recorder: 'nothing yet: the queue redelivers the messages.',
  Registration: 'nothing yet: 8x8 keeps delivering as before.',
  Exports:
    'nothing is lost: the table has all sessions. But exports may not start, and their age is not measured.',
  Reconciliation: 'nothing yet: the next invocation, within an hour, continues where this one stopped.',
};

function functionAlarms({ functions }: AlarmsProps): AlarmDefinitions {
  return {
    ...Object.fromEntries(
      Object.entries(functions).map(([name, each]): [string, AlarmDefinition] => [
        `${name}Errors`,
        {
          metric: each.metricErrors(),
          threshold: 1,
          means: `The function ${name} threw, timed out or could not start.`,
          risk: RISK_OF_ERRORS[name] ?? 'nothing yet.',
          first: logsCommand(each),
        },
      ]),
    ),
    WebhookThrottles: {
      metric: functions.Webhook.metricThrottles(),
      threshold: 1,
      means:
        'Lambda throttled the webhook function: the account, or its webhookConcurrency, had no concurrency left.',
      risk: 'the deliveries that were answered 5xx.',
      first:
        'aws lambda get-account-settings; then request a higher limit from AWS, or set or raise webhookConcurrency and deploy',
    },
    WebhookDuration: durationAlarm('Webhook', functions.Webhook, 'deliveries that will be answered 5xx.'),
    RecorderDuration: durationAlarm('Recorder', functions.Recorder, 'nothing yet: the queue redelivers.'),
  };
}

function durationAlarm(name: string, target: NodeFunction, risk: string): AlarmDefinition {
  const timeout = target.timeout?.toMilliseconds() ?? 0;
  return {
    metric: target.metricDuration({ statistic: 'Maximum' }),
    threshold: timeout * 0.8,
    means: `The function ${name} ran for at least 80 % of its timeout of ${timeout / 1_000} seconds: the AWS services that it calls may be slow.`,
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
      // While the registration cannot be checked, the alarm keeps its state.
      missing: TreatMissingData.IGNORE,
      means: 'A webhook is not registered at 8x8 as it should be, or 8x8 denies access to the registration.',
      risk: 'every session of that sub-account if 8x8 delivers to another URL or to none; nothing yet if 8x8 only rejects the API key.',
      first: doctorCommand(props),
    },
    RegistrationUnchecked: {
      metric: countedMetric(scope, 'WebhookUnchecked').with({ period, statistic: 'Minimum' }),
      threshold: 1,
      periods: 3,
      missing: TreatMissingData.BREACHING,
      means: 'In each of three consecutive checks, at least one sub-account could not be checked at 8x8.',
      risk: 'nothing yet, but a lost registration would go unnoticed.',
      first: doctorCommand(props),
    },
  };
}

function exportAlarms(scope: Construct, props: AlarmsProps): AlarmDefinitions {
  const { Exports } = props.functions;
  if (!Exports) return {};
  const period = Duration.hours(1);
  return {
    ExportMissing: {
      metric: countedMetric(scope, 'ExportAge').with({ statistic: 'Maximum', period }),
      threshold: MAX_EXPORT_AGE_HOURS * 3_600,
      periods: 2,
      // A failure to measure the age must not hide a missing export.
      missing: TreatMissingData.BREACHING,
      means: `The exported data is more than ${MAX_EXPORT_AGE_HOURS} hours old: the last export did not start, failed, or is not complete yet. Or the age was not measured for two hours.`,
      risk: 'nothing is lost: the table has all sessions. Analysts see those up to that export.',
      first: doctorCommand(props),
    },
    ExportRefused: {
      metric: countedMetric(scope, 'ExportsRefused').with({ statistic: 'Maximum', period }),
      threshold: 1,
      periods: 2,
      means: 'DynamoDB refused to start an export in two consecutive hours. The function retries every hour.',
      risk: 'nothing is lost: the table has all sessions. Analysts see those up to the last export.',
      first: `${logsCommand(Exports)}; then follow "Daily exports" in infra/exports/README.md`,
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
      risk: 'every session since then, if there were calls.',
      first: doctorCommand(props),
    },
  };
}
