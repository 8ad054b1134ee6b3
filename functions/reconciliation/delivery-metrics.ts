import { type CloudWatchClient, GetMetricDataCommand, type Metric } from '@aws-sdk/client-cloudwatch';
import { withDeadline } from '../client-settings.ts';

/** SQS publishes the metric every minute, a few minutes late. */
const AGE_PERIOD_MS = 15 * 60_000;

/**
 * The age of a queue's oldest message, in seconds, at its greatest in the last quarter of an hour. 0 without a metric:
 * SQS publishes none of a queue that has had no message for hours.
 */
export async function queueAge(client: Client, queueUrl: string, now: number): Promise<number> {
  const QueueName = queueUrl.slice(queueUrl.lastIndexOf('/') + 1);
  const age = metric('AWS/SQS', 'ApproximateAgeOfOldestMessage', 'QueueName', QueueName);
  const query = { Metric: age, Period: 60, Stat: 'Maximum' };
  return Math.max(0, ...(await valuesOf(client, query, new Date(now - AGE_PERIOD_MS), new Date(now))));
}

/** The number of deliveries, of any sub-account, that the webhook accepted in a period. */
export async function acceptedDeliveries(
  client: Client,
  service: string,
  from: Date,
  to: Date,
): Promise<number> {
  const accepted = metric('VssWebhook', 'DeliveriesAccepted', 'service', service);
  const counts = await valuesOf(client, { Metric: accepted, Period: 3_600, Stat: 'Sum' }, from, to);
  return counts.reduce((sum, count) => sum + count, 0);
}

type Client = Pick<CloudWatchClient, 'send'>;

function metric(Namespace: string, MetricName: string, Name: string, Value: string): Metric {
  return { Namespace, MetricName, Dimensions: [{ Name, Value }] };
}

async function valuesOf(
  client: Client,
  MetricStat: { Metric: Metric; Period: number; Stat: string },
  StartTime: Date,
  EndTime: Date,
): Promise<number[]> {
  const MetricDataQueries = [{ Id: 'metric', MetricStat }];
  const command = new GetMetricDataCommand({ StartTime, EndTime, MetricDataQueries });
  const { MetricDataResults = [] } = await withDeadline(client.send(command));
  return MetricDataResults.flatMap(({ Values = [] }) => Values);
}
