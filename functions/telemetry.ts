import { Logger } from '@aws-lambda-powertools/logger';
import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';

/** What a handler logs with: Powertools' Logger. No line holds a phone number, a payload, a header or a key. */
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

/** What a handler counts with: Powertools' Metrics, of which it uses this much. */
export interface Counters {
  addDimension(...dimension: Parameters<Metrics['addDimension']>): unknown;
  addMetadata(...metadata: Parameters<Metrics['addMetadata']>): unknown;
  addMetric(...metric: Parameters<Metrics['addMetric']>): unknown;
  publishStoredMetrics(): unknown;
  /** Counts one metric on its own, with dimensions that the others do not have. */
  singleMetric(): Pick<Counters, 'addDimension' | 'addMetric'>;
}

/** Counts a metric on its own, by one dimension that the others do not have. */
export function countBy(metrics: Counters, name: string, dimension: [string, string], count: number): void {
  const metric = metrics.singleMetric();
  metric.addDimension(...dimension);
  metric.addMetric(name, MetricUnit.Count, count);
}
