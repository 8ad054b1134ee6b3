import { Duration, Stack } from 'aws-cdk-lib';
import type { RestApi } from 'aws-cdk-lib/aws-apigateway';
import {
  type Alarm,
  AlarmStatusWidget,
  Dashboard as CloudWatchDashboard,
  GraphWidget,
  type IMetric,
  MathExpression,
  Metric,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { NodeFunction } from '../constructs/node-function.ts';
import { countedMetric } from './metrics.ts';

export interface DashboardProps {
  alarms: readonly Alarm[];
  api: RestApi;
  queue: Queue;
  deadLetterQueue: Queue;
  table: Table;
  functions: Readonly<Record<string, NodeFunction>>;
}

/** One page: are we fine, are we losing anything, what is going on, what does it cost. */
export class Dashboard extends Construct {
  constructor(scope: Construct, id: string, props: DashboardProps) {
    super(scope, id);
    const { alarms, api, queue, deadLetterQueue, table, functions } = props;
    const stack = Stack.of(this);
    const counted = (name: string, label: string) => countedMetric(this, name).with({ label });
    const byFunction = (metric: (each: NodeFunction) => Metric) =>
      Object.entries(functions).map(([label, each]) => metric(each).with({ label }));
    const graph = (title: string, left: IMetric[], right: IMetric[] = []) =>
      new GraphWidget({ title, left, right, width: 8, height: 6, period: Duration.minutes(5) });

    new CloudWatchDashboard(this, 'Dashboard', { dashboardName: stack.stackName }).addWidgets(
      new AlarmStatusWidget({ title: 'Are we fine?', alarms: [...alarms], width: 24, height: 4 }),
      graph(
        'Are we losing anything? Dead letters, answers 5xx',
        [
          deadLetterQueue.metricApproximateNumberOfMessagesVisible({
            label: 'dead letters',
            statistic: 'Maximum',
          }),
        ],
        [api.metricServerError({ label: 'answered 5xx', statistic: 'Sum' })],
      ),
      graph(
        'What waits: messages, and the age of the oldest',
        [queue.metricApproximateNumberOfMessagesVisible({ label: 'waiting', statistic: 'Maximum' })],
        [queue.metricApproximateAgeOfOldestMessage({ label: 'age in seconds', statistic: 'Maximum' })],
      ),
      graph('From delivery to record', [
        countedMetric(this, 'RecordingLag').with({ label: 'median', statistic: 'p50' }),
        countedMetric(this, 'RecordingLag').with({ label: 'p99', statistic: 'p99' }),
      ]),
      graph('Deliveries by outcome', [
        counted('DeliveriesAccepted', 'accepted'),
        search(stack, 'DeliveriesRejected', 'reason'),
        api.metricClientError({ label: 'all answers 4xx', statistic: 'Sum' }),
      ]),
      graph('Sessions by status; dead letters by reason', [
        search(stack, 'SessionsRecorded', 'sessionStatus'),
        search(stack, 'DeadLettered', 'reason'),
      ]),
      graph('Registered at 8x8', [
        countedMetric(this, 'WebhookRegistered').with({ label: 'every webhook', statistic: 'Minimum' }),
        countedMetric(this, 'WebhookUnchecked').with({ label: 'unchecked', statistic: 'Maximum' }),
      ]),
      graph('Age of the newest export, in seconds', [
        countedMetric(this, 'ExportAge').with({ label: 'age', statistic: 'Maximum' }),
      ]),
      graph('Told twice, told otherwise, not understood', [
        counted('DuplicateDeliveries', 'duplicates'),
        counted('ConflictingSummaries', 'conflicts'),
        counted('UnrecognisedFields', 'unrecognised fields'),
        counted('IncompleteSummaries', 'incomplete summaries'),
      ]),
      graph(
        'Failures of functions; failed attempts to record',
        [...byFunction((each) => each.metricErrors()), counted('RecordsFailed', 'records failed')],
        byFunction((each) => each.metricThrottles()),
      ),
      graph(
        'Duration of functions, p99',
        byFunction((each) => each.metricDuration({ statistic: 'p99' })),
      ),
      graph(
        'What it costs: invocations, write units, log bytes',
        [
          ...byFunction((each) => each.metricInvocations()),
          table.metricConsumedWriteCapacityUnits({ label: 'write units', statistic: 'Sum' }),
        ],
        byFunction(
          (each) =>
            new Metric({
              namespace: 'AWS/Logs',
              metricName: 'IncomingBytes',
              dimensionsMap: { LogGroupName: each.logGroup.logGroupName },
              statistic: 'Sum',
            }),
        ),
      ),
    );
  }
}

/** A metric by each value of a dimension that there is. */
function search(stack: Stack, metricName: string, dimension: string): MathExpression {
  return new MathExpression({
    expression: `SEARCH('{VssWebhook,service,${dimension}} service="${stack.stackName}" MetricName="${metricName}"', 'Sum', 300)`,
    usingMetrics: {},
    label: '',
  });
}
