import * as v from 'valibot';
import { EXPORTS_PREFIX } from '../../exports/bucket-prefixes.ts';
import type { Template } from '../../local/template.ts';
import prices from './prices.json' with { type: 'json' };
import { count, functionOf, gigabytes, type Line, propertiesOf, retentionDays } from './template-figures.ts';

/** Measured on the local stack, and computed from the published examples with DynamoDB's sizing rules. */
export const MEASURED = {
  /** Log bytes of the webhook per delivery, and of the recorder per batch. */
  webhookLogBytes: 348,
  recorderLogBytes: 611,
  /** Write units and size of a record: the mean of the seven examples. */
  writeUnits: 10 / 7,
  recordBytes: 975,
  /** The same for the index: the mean of the three unsuccessful examples. */
  indexWriteUnits: 4 / 3,
  indexBytes: 935,
  /** Compressed size of a record in an export, measured with generated sessions (test/bench/sessions.ts). */
  exportedBytes: 178,
};

/** AWS charges for each of the first two yearly rotations of a key as much as for a key. Later rotations are free. */
const KEY_VERSIONS = 3;

/** Size of a 200 response with its headers. */
const RESPONSE_BYTES = 400;
/** The lines that Lambda logs per invocation: START, END and REPORT. */
const PLATFORM_LOG_BYTES = 350;
/** The overhead that DynamoDB adds to each stored item. */
const ITEM_OVERHEAD_BYTES = 100;
/** Lambda polls an empty queue with five connections, each with a long poll of 20 seconds. */
const IDLE_POLLS_PER_MONTH = (5 * 30 * 86_400) / 20;
/** Custom metrics of a stage in normal operation. Each combination of name and dimensions counts. */
const CUSTOM_METRICS = 20;
/** Those of the reconciliation, and what the recorder counts of it. */
const RECONCILIATION_METRICS = 7;

export interface Usage {
  /** Sessions per month. */
  sessions: number;
  /** Records in the table. */
  records: number;
  hours: number;
  webhookMs: number;
  recorderMs: number;
  /** Share of unsuccessful sessions, from 0 to 1. */
  unsuccessful: number;
}

/** The cost of a million sessions, each delivered once. */
export function perMillion(
  template: Template,
  { sessions, hours, webhookMs, recorderMs, unsuccessful }: Usage,
): Line[] {
  const million = 1_000_000;
  const [source] = propertiesOf(template, 'AWS::Lambda::EventSourceMapping');
  const { BatchSize, MaximumBatchingWindowInSeconds } = v.parse(EventSource, source);
  const perSecond = sessions / 30 / (hours * 3_600);
  // A batch starts with one message, and ends when it is full or the batching window closes.
  const batchSize = Math.min(BatchSize, 1 + perSecond * MaximumBatchingWindowInSeconds);
  const batches = million / batchSize;
  const polls = IDLE_POLLS_PER_MONTH * (million / sessions);
  const logBytes =
    million * (MEASURED.webhookLogBytes + PLATFORM_LOG_BYTES) +
    batches * (MEASURED.recorderLogBytes + PLATFORM_LOG_BYTES);
  const tableBytes = million * (MEASURED.recordBytes + ITEM_OVERHEAD_BYTES);
  const indexBytes = million * unsuccessful * (MEASURED.indexBytes + ITEM_OVERHEAD_BYTES);
  const writes = million * (MEASURED.writeUnits + unsuccessful * MEASURED.indexWriteUnits);
  const [rule] = propertiesOf(template, 'AWS::XRay::SamplingRule');
  const traces = million * v.parse(SamplingRule, rule).SamplingRule.FixedRate;
  const { perMillion: rates, perGigabyte } = prices;
  const lambda = (name: string, invocations: number, milliseconds: number) => {
    const megabytes = functionOf(template, name)?.MemorySize ?? 0;
    return (
      (invocations / million) * rates.lambdaRequests +
      ((invocations * milliseconds * megabytes) / million) * rates.lambdaArmMegabyteMilliseconds
    );
  };

  return [
    ['API Gateway, requests', count(million), rates.apiGatewayRestRequests],
    [
      'API Gateway, data transfer out',
      gigabytes(million * RESPONSE_BYTES),
      ((million * RESPONSE_BYTES) / 1e9) * perGigabyte.dataOut,
    ],
    ['Lambda, webhook', `${count(million)} of ${webhookMs} ms`, lambda('Webhook', million, webhookMs)],
    ['Lambda, recorder', `${count(batches)} of ${recorderMs} ms`, lambda('Recorder', batches, recorderMs)],
    [
      'SQS, requests',
      count(million + 2 * batches + polls),
      ((million + 2 * batches + polls) / million) * rates.sqsRequests,
    ],
    ['DynamoDB, write units', count(writes), (writes / million) * rates.dynamodbWriteUnits],
    ...storageLines(tableBytes, indexBytes),
    ['CloudWatch, logs', gigabytes(logBytes), (logBytes / 1e9) * perGigabyte.logsIngested],
    ['X-Ray, traces', count(traces), (traces / million) * rates.xrayTraces],
  ];
}

/** The monthly cost of a stage that does not depend on the number of sessions. */
export function perMonth(template: Template): Line[] {
  const { perMonth: rates } = prices;
  const secrets = propertiesOf(template, 'AWS::SecretsManager::Secret').length + 1;
  const keys = propertiesOf(template, 'AWS::KMS::Key').length;
  const alarms = propertiesOf(template, 'AWS::CloudWatch::Alarm').flatMap(metricsOf).length;
  const metrics = CUSTOM_METRICS + (functionOf(template, 'Reconciliation') ? RECONCILIATION_METRICS : 0);
  return [
    ['Secrets, including the API key', String(secrets), secrets * rates.secret],
    ['KMS keys, from the third year on', String(keys), keys * KEY_VERSIONS * rates.key],
    ['Alarms, by metric', String(alarms), alarms * rates.alarm],
    ['Dashboards', '1', rates.dashboard],
    ['Custom metrics, approximately', String(metrics), metrics * rates.customMetric],
  ];
}

/** The cost of storing items and their copies in the index for the first month, with their recovery. */
export function storageLines(tableBytes: number, indexBytes: number): Line[] {
  const { dynamodbMonth, dynamodbPointInTimeRecoveryMonth } = prices.perGigabyte;
  const bytes = tableBytes + indexBytes;
  return [
    ['DynamoDB, storage for the first month', gigabytes(bytes), (bytes / 1e9) * dynamodbMonth],
    [
      'DynamoDB, point-in-time recovery',
      gigabytes(tableBytes),
      (tableBytes / 1e9) * dynamodbPointInTimeRecoveryMonth,
    ],
  ];
}

/** The metrics of an alarm: AWS charges for each of those in an expression. */
function metricsOf(alarm: unknown): unknown[] {
  const { Metrics } = v.parse(Alarm, alarm);
  return Metrics?.filter(({ MetricStat }) => MetricStat !== undefined) ?? [alarm];
}

const Alarm = v.object({ Metrics: v.optional(v.array(v.object({ MetricStat: v.optional(v.unknown()) }))) });

/** The monthly cost of daily exports, without the cost of queries. */
export function exportsPerMonth(template: Template, { sessions, records }: Usage): Line[] {
  const days = retentionDays(template, EXPORTS_PREFIX);
  const exports = functionOf(template, 'Exports');
  if (days === undefined || !exports) return [];
  const fullExportDays = Number(exports.Environment.Variables['FULL_EXPORT_DAYS']);
  const recordBytes = MEASURED.recordBytes + ITEM_OVERHEAD_BYTES;
  const full = (30 / fullExportDays) * records * recordBytes;
  const changed = fullExportDays === 1 ? 0 : sessions * recordBytes;
  const stored =
    ((days / fullExportDays) * records + (fullExportDays === 1 ? 0 : (days / 30) * sessions)) *
    MEASURED.exportedBytes;
  const { dynamodbExport, s3Month } = prices.perGigabyte;
  return [
    [
      `DynamoDB, ${(30 / fullExportDays).toFixed(1)} full exports`,
      gigabytes(full),
      (full / 1e9) * dynamodbExport,
    ],
    ['DynamoDB, daily exports of changes', gigabytes(changed), (changed / 1e9) * dynamodbExport],
    [`S3, storage for ${days} days`, gigabytes(stored), (stored / 1e9) * s3Month],
  ];
}

export const EventSource = v.object({
  BatchSize: v.number(),
  MaximumBatchingWindowInSeconds: v.number(),
  ScalingConfig: v.object({ MaximumConcurrency: v.number() }),
});
const SamplingRule = v.object({ SamplingRule: v.object({ FixedRate: v.number() }) });
