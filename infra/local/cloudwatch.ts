import { createServer, type Server } from 'node:http';
import { json } from 'node:stream/consumers';
import * as v from 'valibot';

/** The values that one log line has for a metric. */
interface Datum {
  name: string;
  /** Namespace and dimensions, serialised for comparison. */
  dimensions: string;
  /** Milliseconds since 1970. */
  at: number;
  values: number[];
}

/** A log line in the embedded metric format, as Powertools writes it. */
const EmbeddedMetric = v.pipe(
  v.string(),
  v.parseJson(),
  v.looseObject({
    _aws: v.object({
      Timestamp: v.number(),
      CloudWatchMetrics: v.array(
        v.object({
          Namespace: v.string(),
          Dimensions: v.array(v.array(v.string())),
          Metrics: v.array(v.object({ Name: v.string() })),
        }),
      ),
    }),
  }),
);

const Values = v.union([
  v.array(v.number()),
  v.pipe(
    v.number(),
    v.transform((value) => [value]),
  ),
]);

const Request = v.object({
  StartTime: v.number(),
  EndTime: v.number(),
  MetricDataQueries: v.array(
    v.object({
      Id: v.string(),
      MetricStat: v.object({
        Metric: v.object({
          Namespace: v.string(),
          MetricName: v.string(),
          Dimensions: v.array(v.object({ Name: v.string(), Value: v.string() })),
        }),
        Period: v.number(),
        Stat: v.picklist(['Sum', 'Maximum', 'Minimum']),
      }),
    }),
  ),
});

const STATISTICS = {
  Sum: (values: number[]) => values.reduce((sum, value) => sum + value, 0),
  Maximum: (values: number[]) => Math.max(...values),
  Minimum: (values: number[]) => Math.min(...values),
};

/** Reads the age of a queue's oldest message, in seconds. SQS publishes this metric every minute. */
export type OldestMessage = (queueName: string) => Promise<number | undefined>;

/**
 * Simulates CloudWatch metrics: extracts metrics from the log lines of functions, and implements GetMetricData (AWS
 * JSON 1.0) for them and for the age of a queue's oldest message.
 */
export class CloudWatch {
  readonly #data: Datum[] = [];

  /** Extracts the metrics from a log line of a function. */
  note(line: string): void {
    const parsed = line.includes('"_aws"') ? v.safeParse(EmbeddedMetric, line) : undefined;
    if (!parsed?.success) return;
    const { _aws, ...values } = parsed.output;
    for (const { Namespace, Dimensions, Metrics } of _aws.CloudWatchMetrics) {
      for (const names of Dimensions) {
        const dimensions = keyOf(
          Namespace,
          names.map((name) => [name, String(values[name])]),
        );
        for (const { Name } of Metrics) {
          const found = v.parse(Values, values[Name]);
          this.#data.push({ name: Name, dimensions, at: _aws.Timestamp, values: found });
        }
      }
    }
  }

  server(oldestMessage: OldestMessage): Server {
    return createServer(async (request, response) => {
      const parsed = v.safeParse(Request, await json(request).catch(() => undefined));
      const operation = String(request.headers['x-amz-target']).split('.').at(-1);
      response.setHeader('Content-Type', 'application/x-amz-json-1.0');
      if (operation !== 'GetMetricData' || !parsed.success) {
        response.writeHead(400);
        response.end(
          JSON.stringify({ __type: 'InvalidAction', message: 'Only GetMetricData is supported.' }),
        );
        return;
      }
      const { StartTime, EndTime, MetricDataQueries } = parsed.output;
      const results = MetricDataQueries.map(async ({ Id, MetricStat: { Metric, Period, Stat } }) => {
        const { Namespace, MetricName, Dimensions } = Metric;
        const data =
          Namespace === 'AWS/SQS'
            ? await ageOf(oldestMessage, Dimensions[0]?.Value ?? '')
            : this.#find(
                MetricName,
                keyOf(
                  Namespace,
                  Dimensions.map(({ Name, Value }) => [Name, Value]),
                ),
              );
        const inTime = data.filter(({ at }) => at >= StartTime * 1_000 && at < EndTime * 1_000);
        const periods = Map.groupBy(inTime, ({ at }) => Math.floor(at / 1_000 / Period) * Period);
        const newestFirst = [...periods].toSorted(([a], [b]) => b - a);
        return {
          Id,
          Label: MetricName,
          Timestamps: newestFirst.map(([start]) => start),
          Values: newestFirst.map(([, found]) => STATISTICS[Stat](found.flatMap(({ values }) => values))),
          StatusCode: 'Complete',
        };
      });
      response.end(JSON.stringify({ MetricDataResults: await Promise.all(results) }));
    });
  }

  #find(name: string, dimensions: string): Datum[] {
    return this.#data.filter((datum) => datum.name === name && datum.dimensions === dimensions);
  }
}

async function ageOf(
  oldestMessage: OldestMessage,
  queueName: string,
): Promise<Pick<Datum, 'at' | 'values'>[]> {
  const seconds = await oldestMessage(queueName);
  return [{ at: Date.now() - 1_000, values: [seconds ?? 0] }];
}

function keyOf(namespace: string, dimensions: [string, string][]): string {
  return JSON.stringify([namespace, ...dimensions.toSorted(([a], [b]) => (a < b ? -1 : 1))]);
}
