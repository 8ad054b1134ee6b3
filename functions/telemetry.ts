import { Logger } from '@aws-lambda-powertools/logger';
import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';

/** The part of Powertools' Logger that handlers use. Never log a phone number, a payload, a header or a key. */
export type Log = Record<'warn' | 'error', (message: string, details: Record<string, unknown>) => void>;

/** Created lazily: most environments never log, which saves 5 % of the cold start. */
export function lazyLogger(): Log {
  let created: Logger | undefined;
  const logger = () => {
    created ??= new Logger();
    return created;
  };
  return {
    warn: (message, details) => logger().warn(message, details),
    error: (message, details) => logger().error(message, details),
  };
}

/** The part of Powertools' Metrics that handlers use. */
export interface Counters {
  addDimension(...dimension: Parameters<Metrics['addDimension']>): unknown;
  addMetadata(...metadata: Parameters<Metrics['addMetadata']>): unknown;
  addMetric(...metric: Parameters<Metrics['addMetric']>): unknown;
  publishStoredMetrics(): unknown;
  /** Returns a separate metric, which can have dimensions that the others do not have. */
  singleMetric(): Pick<Counters, 'addDimension' | 'addMetric'>;
}

/** Counts a metric separately, with a dimension that the others do not have. */
export function countBy(metrics: Counters, name: string, dimension: [string, string], count: number): void {
  const metric = metrics.singleMetric();
  metric.addDimension(...dimension);
  metric.addMetric(name, MetricUnit.Count, count);
}
