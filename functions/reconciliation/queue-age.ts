import { type CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { withDeadline } from '../client-settings.ts';

/** SQS publishes the metric every minute, a few minutes late. */
const PERIOD_MS = 15 * 60_000;

/**
 * The age of a queue's oldest message, in seconds, at its greatest in the last quarter of an hour. 0 without a metric:
 * SQS publishes none of a queue that has had no message for hours.
 */
export async function queueAge(
  client: Pick<CloudWatchClient, 'send'>,
  queueUrl: string,
  now: number,
): Promise<number> {
  const command = new GetMetricDataCommand({
    StartTime: new Date(now - PERIOD_MS),
    EndTime: new Date(now),
    MetricDataQueries: [
      {
        Id: 'age',
        MetricStat: {
          Metric: {
            Namespace: 'AWS/SQS',
            MetricName: 'ApproximateAgeOfOldestMessage',
            Dimensions: [{ Name: 'QueueName', Value: queueUrl.slice(queueUrl.lastIndexOf('/') + 1) }],
          },
          Period: 60,
          Stat: 'Maximum',
        },
      },
    ],
  });
  const { MetricDataResults = [] } = await withDeadline(client.send(command));
  return Math.max(0, ...MetricDataResults.flatMap(({ Values = [] }) => Values));
}
