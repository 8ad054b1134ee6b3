import { TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { RETENTION_DAYS } from '../constructs/queues.ts';
import { MAX_RECORD_AGE } from '../session-events/session-events.ts';
import {
  type AlarmDefinitions,
  type AlarmsProps,
  doctorCommand,
  redriveEventsCommand,
} from './alarm-definition.ts';

/** The alarms about the publication of session events; none if the stage publishes none. */
export function sessionEventAlarms(props: AlarmsProps): AlarmDefinitions {
  const { sessionEvents } = props;
  if (!sessionEvents) return {};
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
      risk: 'nothing yet, but retry jobs and alerts learn of sessions late. Sessions are recorded as before.',
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
  };
}
