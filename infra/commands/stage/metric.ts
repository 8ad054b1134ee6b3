import { CloudWatchClient, GetMetricDataCommand, type Metric } from '@aws-sdk/client-cloudwatch';
import type { ClientSettings } from './deployed-stage.ts';

export interface Query {
  metric: Metric;
  stat: 'Sum' | 'Maximum';
  /** Milliseconds since 1970. The result includes the period that contains it. */
  since: number;
  periodSeconds: number;
}

/** Reads the values of a metric since a time, newest first, each with the start of its period. */
export async function newestFirst(
  settings: ClientSettings,
  { metric, stat, since, periodSeconds }: Query,
): Promise<{ at: number; value: number }[]> {
  const { MetricDataResults = [] } = await new CloudWatchClient(settings).send(
    new GetMetricDataCommand({
      StartTime: new Date(since),
      EndTime: new Date(),
      ScanBy: 'TimestampDescending',
      MetricDataQueries: [{ Id: 'only', MetricStat: { Metric: metric, Period: periodSeconds, Stat: stat } }],
    }),
  );
  const { Timestamps = [], Values = [] } = MetricDataResults[0] ?? {};
  return Timestamps.map((at, i) => ({ at: at.getTime(), value: Values[i] ?? 0 }));
}

/** The custom metric of this name that the functions of a stage count. */
export function countedBy(stackName: string, name: string): Metric {
  return {
    Namespace: 'VssWebhook',
    MetricName: name,
    Dimensions: [{ Name: 'service', Value: stackName }],
  };
}
