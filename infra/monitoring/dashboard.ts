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
import type { SessionEvents } from '../session-events/session-events.ts';
import { countedMetric } from './metrics.ts';

export interface DashboardProps {
  alarms: readonly Alarm[];
  api: RestApi;
  queue: Queue;
  deadLetterQueue: Queue;
  table: Table;
  /** Undefined if the stage publishes no session events. */
  sessionEvents: SessionEvents | undefined;
  functions: Readonly<Record<string, NodeFunction>>;
}

/** The dashboard of a stage, from top to bottom: alarms, losses, backlog, sessions, errors, cost. */
export class Dashboard extends Construct {
  constructor(scope: Construct, id: string, props: DashboardProps) {
    super(scope, id);
    const dashboardName = Stack.of(this).stackName;
    new CloudWatchDashboard(this, 'Dashboard', { dashboardName }).addWidgets(
      new AlarmStatusWidget({ title: 'Alarms', alarms: [...props.alarms], width: 24, height: 4 }),
      ...this.#deliveries(props),
      ...this.#sessions(),
      ...this.#reconciliation(props),
      ...this.#sessionEvents(props),
      ...this.#functions(props),
    );
  }

  #deliveries({ api, queue, deadLetterQueue }: DashboardProps): GraphWidget[] {
    return [
      graph(
        'Losses: dead letters, 5xx responses',
        [
          deadLetterQueue.metricApproximateNumberOfMessagesVisible({
            label: 'dead letters',
            statistic: 'Maximum',
          }),
        ],
        [api.metricServerError({ label: '5xx responses', statistic: 'Sum' })],
      ),
      graph(
        'Backlog: messages, age of the oldest',
        [queue.metricApproximateNumberOfMessagesVisible({ label: 'waiting', statistic: 'Maximum' })],
        [queue.metricApproximateAgeOfOldestMessage({ label: 'age in seconds', statistic: 'Maximum' })],
      ),
      graph('Recording lag, in milliseconds', [
        this.#counted('RecordingLag', 'median', 'p50'),
        this.#counted('RecordingLag', 'p99', 'p99'),
      ]),
      graph('Deliveries by outcome', [
        this.#counted('DeliveriesAccepted', 'accepted'),
        this.#countedBy('DeliveriesRejected', 'reason'),
        api.metricClientError({ label: 'all 4xx responses', statistic: 'Sum' }),
      ]),
    ];
  }

  #sessions(): GraphWidget[] {
    return [
      graph('Sessions by status; dead letters by reason', [
        this.#countedBy('SessionsRecorded', 'sessionStatus'),
        this.#countedBy('DeadLettered', 'reason'),
      ]),
      graph('Registration at 8x8', [
        this.#counted('WebhookRegistered', 'all registered', 'Minimum'),
        this.#counted('WebhookUnchecked', 'unchecked sub-accounts', 'Maximum'),
      ]),
      graph(
        'Age of the exported data, in seconds; hours in which an export was refused',
        [this.#counted('ExportAge', 'age', 'Maximum')],
        [this.#counted('ExportsRefused', 'refused')],
      ),
      graph('Summaries: duplicate, conflicting, unrecognised, incomplete', [
        this.#counted('DuplicateDeliveries', 'duplicates'),
        this.#counted('ConflictingSummaries', 'conflicts'),
        this.#counted('UnrecognisedFields', 'unrecognised fields'),
        this.#counted('IncompleteSummaries', 'incomplete summaries'),
      ]),
    ];
  }

  #reconciliation({ functions }: DashboardProps): GraphWidget[] {
    if (!functions['Reconciliation']) return [];
    return [
      graph(
        "Comparison with 8x8's log export: sessions and rows; days",
        [
          this.#counted('ExportedSessions', 'exported sessions'),
          this.#counted('MissedSessions', 'missed sessions'),
          this.#counted('ReconciledSessions', 'recorded from the export'),
          this.#counted('DifferingSessions', 'differing sessions'),
          this.#counted('RefusedRows', 'refused rows'),
        ],
        [
          this.#counted('ReconciliationOverdue', 'overdue days', 'Maximum'),
          this.#counted('ReconciliationHeld', 'held days', 'Maximum'),
        ],
      ),
    ];
  }

  #sessionEvents({ sessionEvents }: DashboardProps): GraphWidget[] {
    if (!sessionEvents) return [];
    return [
      graph(
        'Session events: published; attempts that failed, given up',
        [sessionEvents.metric('EventCount').with({ label: 'published' })],
        [
          sessionEvents.metric('ExecutionFailed').with({ label: 'failed attempts' }),
          sessionEvents.deadLetterQueue.metricApproximateNumberOfMessagesVisible({
            label: 'given up',
            statistic: 'Maximum',
          }),
        ],
      ),
    ];
  }

  #functions({ functions, table }: DashboardProps): GraphWidget[] {
    const byFunction = (metric: (each: NodeFunction) => Metric) =>
      Object.entries(functions).map(([label, each]) => metric(each).with({ label }));
    return [
      graph(
        'Function errors and throttles; failed recording attempts',
        [...byFunction((each) => each.metricErrors()), this.#counted('RecordsFailed', 'records failed')],
        byFunction((each) => each.metricThrottles()),
      ),
      graph(
        'Function duration, p99',
        byFunction((each) => each.metricDuration({ statistic: 'p99' })),
      ),
      graph(
        'Cost: invocations, write units, log bytes',
        [
          ...byFunction((each) => each.metricInvocations()),
          table.metricConsumedWriteCapacityUnits({ label: 'write units', statistic: 'Sum' }),
        ],
        byFunction(logBytes),
      ),
    ];
  }

  #counted(name: string, label: string, statistic = 'Sum'): Metric {
    return countedMetric(this, name).with({ label, statistic });
  }

  /** Shows a metric with one line per value of the dimension. */
  #countedBy(name: string, dimension: string): MathExpression {
    return new MathExpression({
      expression: `SEARCH('{VssWebhook,service,${dimension}} service="${Stack.of(this).stackName}" MetricName="${name}"', 'Sum', 300)`,
      usingMetrics: {},
      label: '',
    });
  }
}

function graph(title: string, left: IMetric[], right: IMetric[] = []): GraphWidget {
  return new GraphWidget({ title, left, right, width: 8, height: 6, period: Duration.minutes(5) });
}

function logBytes({ logGroup }: NodeFunction): Metric {
  return new Metric({
    namespace: 'AWS/Logs',
    metricName: 'IncomingBytes',
    dimensionsMap: { LogGroupName: logGroup.logGroupName },
    statistic: 'Sum',
  });
}
