import { type CloudWatchClient, GetMetricDataCommand, type Metric } from '@aws-sdk/client-cloudwatch';
import { withDeadline } from '../client-settings.ts';

/** SQS publishes the metric every minute, a few minutes late. */
const AGE_PERIOD_MS = 15 * 60_000;

/**
 * The age of a queue's oldest message, in seconds, at its greatest in the last quarter of an hour. 0 without a metric:
 * SQS publishes none of a queue that has had no message for hours.
 */
export async function queueAge(client: Metrics, queueUrl: string, now: number): Promise<number> {
  const ages = await valuesOf(
    client,
    { from: now - AGE_PERIOD_MS, to: now, period: 60, statistic: 'Maximum' },
    {
      Namespace: 'AWS/SQS',
      MetricName: 'ApproximateAgeOfOldestMessage',
      Dimensions: [{ Name: 'QueueName', Value: queueUrl.slice(queueUrl.lastIndexOf('/') + 1) }],
    },
  );
  return Math.max(0, ...ages);
}

/** The number of deliveries, of any sub-account, that the webhook accepted in a period. */
export async function acceptedDeliveries(
  client: Metrics,
  service: string,
  from: Date,
  to: Date,
): Promise<number> {
  const counts = await valuesOf(
    client,
    { from: from.getTime(), to: to.getTime(), period: 3_600, statistic: 'Sum' },
    {
      Namespace: 'VssWebhook',
      MetricName: 'DeliveriesAccepted',
      Dimensions: [{ Name: 'service', Value: service }],
    },
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

type Metrics = Pick<CloudWatchClient, 'send'>;

interface Statistic {
  from: number;
  to: number;
  period: number;
  statistic: 'Maximum' | 'Sum';
}

async function valuesOf(
  client: Metrics,
  { from, to, period, statistic }: Statistic,
  Metric: Metric,
): Promise<number[]> {
  const command = new GetMetricDataCommand({
    StartTime: new Date(from),
    EndTime: new Date(to),
    MetricDataQueries: [{ Id: 'metric', MetricStat: { Metric, Period: period, Stat: statistic } }],
  });
  const { MetricDataResults = [] } = await withDeadline(client.send(command));
  return MetricDataResults.flatMap(({ Values = [] }) => Values);
}
