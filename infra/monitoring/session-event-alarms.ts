import { Duration } from 'aws-cdk-lib';
import { MathExpression, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { RETENTION_DAYS } from '../constructs/queues.ts';
import { MAX_RECORD_AGE } from '../session-events/session-events.ts';
import {
  type AlarmDefinitions,
  type AlarmsProps,
  doctorCommand,
  redriveEventsCommand,
} from './alarm-definition.ts';
import { countedMetric } from './metrics.ts';

/** The statuses of the metric `SessionsRecorded` for sessions that were not successful. */
const UNSUCCESSFUL = ['NO_ANSWER', 'BUSY', 'CANCELED', 'FAILED', 'ERROR', 'OTHER'];

/** The alarms about the publication of session events; none if the stage publishes none. */
export function sessionEventAlarms(scope: Construct, props: AlarmsProps): AlarmDefinitions {
  const { sessionEvents } = props;
  if (!sessionEvents) return {};
  const isFiltered = props.settings.sessionEvents?.outcomes === 'unsuccessful';
  const recorded = isFiltered
    ? Object.fromEntries(
        UNSUCCESSFUL.map((sessionStatus, i) => [
          `recorded${i}`,
          countedMetric(scope, 'SessionsRecorded', { sessionStatus }),
        ]),
      )
    : { recorded: countedMetric(scope, 'SessionsRecorded') };
  return {
    SessionEventsFailing: {
      metric: sessionEvents.metric('ExecutionFailed'),
      threshold: 1,
      periods: 3,
      // The pipe backs off while it fails, so there may be a period without an attempt.
      outOf: 6,
      // EventBridge may stop a pipe that keeps failing. It then measures nothing, and the alarm keeps its state.
      missing: TreatMissingData.IGNORE,
      means: `The pipe could not publish session events in three of six periods of five minutes. It retries each event for ${MAX_RECORD_AGE.toHours()} hours, unless EventBridge stops it.`,
      risk: 'nothing for 12 hours, but retry jobs and alerts learn of sessions late. Sessions are recorded as before.',
      first: doctorCommand(props),
    },
    SessionEventsStopped: {
      metric: new MathExpression({
        expression: `IF(FILL(published, 0) < 1 AND ${Object.keys(recorded)
          .map((name) => `FILL(${name}, 0)`)
          .join(' + ')} > 0, 1, 0)`,
        usingMetrics: { published: sessionEvents.metric('EventCount'), ...recorded },
        period: Duration.hours(1),
      }),
      threshold: 1,
      // The event of a session at the end of an hour is published in the next.
      periods: 2,
      means:
        'For two hours, sessions were recorded and no event was published: the pipe was stopped, by EventBridge or by someone.',
      risk: 'events of changes that are older than 24 hours, which the stream no longer has. Sessions are recorded as before.',
      first: doctorCommand(props),
    },
    SessionEventsDeadLetters: {
      metric: sessionEvents.deadLetterQueue.metricApproximateNumberOfMessagesVisible({
        statistic: 'Maximum',
      }),
      threshold: 1,
      means: `The pipe has given up session events, after ${MAX_RECORD_AGE.toHours()} hours of retries.`,
      risk: `these events: the stream keeps each change for 24 hours after it was made. Their sessions are recorded. The queue keeps its messages for ${RETENTION_DAYS.deadLetterQueue} days.`,
      first: `${redriveEventsCommand(props)}, which publishes them again`,
    },
    ...(sessionEvents.busDeadLetterQueue && {
      SessionEventsUnreadable: {
        metric: sessionEvents.busDeadLetterQueue.metricApproximateNumberOfMessagesVisible({
          statistic: 'Maximum',
        }),
        threshold: 1,
        means:
          'The event bus could not encrypt or decrypt session events: its key is disabled, deleted or denied.',
        risk: `that no consumer receives these events. Their sessions are recorded. The queue keeps the events for ${RETENTION_DAYS.deadLetterQueue} days.`,
        first:
          'enable the key and restore its policy; then publish the events in the queue again, or have consumers read the table: infra/session-events/README.md',
      },
    }),
  };
}
