/** Takes what a handler logs and counts. */
export function telemetry() {
  const logged: { level: 'warn' | 'error'; message: unknown; details: unknown[] }[] = [];
  const counted: Record<string, number> = {};
  const published: Record<string, number>[] = [];
  const dimensions: Record<string, string> = {};
  const metadata: Record<string, unknown> = {};
  return {
    logged,
    counted,
    published,
    dimensions,
    metadata,
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
      addMetric(name: string, _unit: string, value: number) {
        counted[name] = (counted[name] ?? 0) + value;
      },
      publishStoredMetrics() {
        published.push({ ...counted });
      },
    },
  };
}
