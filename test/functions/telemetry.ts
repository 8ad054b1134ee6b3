/** A logger and metrics that record what a handler logs and counts. */
export function telemetry() {
  const logged: { level: 'warn' | 'error'; message: unknown; details: unknown[] }[] = [];
  const counted: Record<string, number> = {};
  const published: Record<string, number>[] = [];
  const dimensions: Record<string, string> = {};
  const metadata: Record<string, unknown> = {};
  /** The metrics with another unit than Count. */
  const measured: [name: string, unit: string, value: number][] = [];
  /** The counts with a dimension, by `name dimension=value`. */
  const countedBy: Record<string, number> = {};
  return {
    logged,
    counted,
    published,
    dimensions,
    metadata,
    countedBy,
    measured,
    logger: {
      warn(message: unknown, ...details: unknown[]) {
        logged.push({ level: 'warn', message, details });
      },
      error(message: unknown, ...details: unknown[]) {
        logged.push({ level: 'error', message, details });
      },
    },
    metrics: {
      addDimension(name: string, value: string) {
        dimensions[name] = value;
      },
      addMetadata(key: string, value: unknown) {
        metadata[key] = value;
      },
      addMetric(name: string, unit: string, value: number) {
        if (unit === 'Count') counted[name] = (counted[name] ?? 0) + value;
        else measured.push([name, unit, value]);
      },
      singleMetric() {
        const own: string[] = [];
        return {
          addDimension(name: string, value: string) {
            own.push(`${name}=${value}`);
          },
          addMetric(name: string, _unit: string, value: number) {
            const key = [name, ...own].join(' ');
            countedBy[key] = (countedBy[key] ?? 0) + value;
          },
        };
      },
      publishStoredMetrics() {
        published.push({ ...counted });
      },
    },
  };
}
