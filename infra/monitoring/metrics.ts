import { Duration, Stack } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';

/**
 * A metric that the functions publish.
 *
 * @param scope Any construct of the stack. The name of the stack is the value of the dimension `service`.
 */
export function countedMetric(scope: Construct, metricName: string, dimensions: Record<string, string> = {}) {
  return new Metric({
    namespace: 'VssWebhook',
    metricName,
    dimensionsMap: { service: Stack.of(scope).stackName, ...dimensions },
    statistic: 'Sum',
    period: Duration.minutes(5),
  });
}
