import * as v from 'valibot';
import { EXPORTS_PREFIX } from '../../exports/bucket-prefixes.ts';
import type { Template } from '../../local/template.ts';
import prices from './prices.json' with { type: 'json' };

/** Measured: on the local stack, and of the published examples by DynamoDB's sizing rules. */
const MEASURED = {
  /** What the functions log: for a delivery, and for a batch. */
  webhookLogBytes: 348,
  recorderLogBytes: 611,
  /** Write units of a record, and its size; means of the seven examples. */
  writeUnits: 10 / 7,
  recordBytes: 975,
  /** The same in the index, of the four examples that were not successful. */
  indexWriteUnits: 1,
  indexBytes: 702,
  /** Of a record in an export, compressed: of generated sessions (test/bench/sessions.ts). */
  exportedBytes: 178,
};

/** AWS charges for the first two yearly rotations of a key as for another key, and for no more. */
const KEY_VERSIONS = 3;

/** An answer 200 with its headers. */
const ANSWER_BYTES = 400;
/** What Lambda logs of an invocation: START, END and REPORT. */
const PLATFORM_LOG_BYTES = 350;
/** What DynamoDB adds to each item. */
const ITEM_OVERHEAD_BYTES = 100;
/** Lambda polls a queue with five connections for 20 seconds each, even when there is nothing. */
const IDLE_POLLS_PER_MONTH = (5 * 30 * 86_400) / 20;
/** Custom metrics that a stage has in ordinary use: name and dimensions. */
const CUSTOM_METRICS = 19;

export interface Usage {
  sessions: number;
  hours: number;
  webhookMs: number;
  recorderMs: number;
  /** Fraction of the sessions that were not successful. */
  unsuccessful: number;
}

/** A line of the table: what it is, how much of it, and US dollars. */
export type Line = readonly [what: string, amount: string, dollars: number];

/** What a million sessions cost, delivered once each. */
export function perMillion(
  template: Template,
  { sessions, hours, webhookMs, recorderMs, unsuccessful }: Usage,
): Line[] {
  const million = 1_000_000;
  const [source] = propertiesOf(template, 'AWS::Lambda::EventSourceMapping');
  const { BatchSize, MaximumBatchingWindowInSeconds } = v.parse(EventSource, source);
  const perSecond = sessions / 30 / (hours * 3_600);
  // A batch begins with one message, and ends with the window or when it is full.
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
  const lambda = (invocations: number, milliseconds: number) =>
    (invocations / million) * rates.lambdaRequests +
    ((invocations * milliseconds * memoryOf(template)) / million) * rates.lambdaArmMegabyteMilliseconds;

  return [
    ['API Gateway, requests', count(million), rates.apiGatewayRestRequests],
    [
      'API Gateway, answers out',
      gigabytes(million * ANSWER_BYTES),
      ((million * ANSWER_BYTES) / 1e9) * perGigabyte.dataOut,
    ],
    ['Lambda, webhook', `${count(million)} of ${webhookMs} ms`, lambda(million, webhookMs)],
    ['Lambda, recorder', `${count(batches)} of ${recorderMs} ms`, lambda(batches, recorderMs)],
    [
      'SQS, requests',
      count(million + 2 * batches + polls),
      ((million + 2 * batches + polls) / million) * rates.sqsRequests,
    ],
    ['DynamoDB, write units', count(writes), (writes / million) * rates.dynamodbWriteUnits],
    [
      'DynamoDB, first month of storage',
      gigabytes(tableBytes + indexBytes),
      ((tableBytes + indexBytes) / 1e9) * perGigabyte.dynamodbMonth,
    ],
    [
      'DynamoDB, its point-in-time recovery',
      gigabytes(tableBytes),
      (tableBytes / 1e9) * perGigabyte.dynamodbPointInTimeRecoveryMonth,
    ],
    ['CloudWatch, logs', gigabytes(logBytes), (logBytes / 1e9) * perGigabyte.logsIngested],
    ['X-Ray, traces', count(traces), (traces / million) * rates.xrayTraces],
  ];
}

/** What a stage costs per month, however many sessions there are. */
export function perMonth(template: Template): Line[] {
  const { perMonth: rates } = prices;
  const secrets = propertiesOf(template, 'AWS::SecretsManager::Secret').length + 1;
  const keys = propertiesOf(template, 'AWS::KMS::Key').length;
  const alarms = propertiesOf(template, 'AWS::CloudWatch::Alarm').length;
  return [
    ['Secrets, with the API key', String(secrets), secrets * rates.secret],
    ['Keys, from the third year on', String(keys), keys * KEY_VERSIONS * rates.key],
    ['Alarms', String(alarms), alarms * rates.alarm],
    ['Dashboards', '1', rates.dashboard],
    ['Custom metrics, about', String(CUSTOM_METRICS), CUSTOM_METRICS * rates.customMetric],
  ];
}

/** What daily exports cost, with as many records in the table. What queries read of them is not in it. */
export function exportsPerMonth(template: Template): Line[] {
  const rules = propertiesOf(template, 'AWS::S3::Bucket').flatMap(
    (bucket) => v.parse(Lifecycle, bucket).LifecycleConfiguration.Rules,
  );
  const days = rules.find(({ Prefix }) => Prefix === EXPORTS_PREFIX)?.ExpirationInDays;
  if (days === undefined) return [];
  const million = 1_000_000;
  const exported = 30 * million * (MEASURED.recordBytes + ITEM_OVERHEAD_BYTES);
  const kept = days * million * MEASURED.exportedBytes;
  return [
    ['DynamoDB, 30 exports', gigabytes(exported), (exported / 1e9) * prices.perGigabyte.dynamodbExport],
    [`S3, ${days} exports kept`, gigabytes(kept), (kept / 1e9) * prices.perGigabyte.s3Month],
  ];
}

const Lifecycle = v.object({
  LifecycleConfiguration: v.object({
    Rules: v.array(v.object({ Prefix: v.optional(v.string()), ExpirationInDays: v.optional(v.number()) })),
  }),
});
const EventSource = v.object({ BatchSize: v.number(), MaximumBatchingWindowInSeconds: v.number() });
const SamplingRule = v.object({ SamplingRule: v.object({ FixedRate: v.number() }) });
const Memory = v.object({ MemorySize: v.number() });

function propertiesOf(template: Template, type: string): Readonly<Record<string, unknown>>[] {
  return Object.values(template.Resources)
    .filter(({ Type }) => Type === type)
    .map(({ Properties }) => Properties);
}

/** The memory of our functions, in MB; CDK's own have none in the template. */
function memoryOf(template: Template): number {
  const sizes = propertiesOf(template, 'AWS::Lambda::Function').flatMap((properties) => {
    const parsed = v.safeParse(Memory, properties);
    return parsed.success ? [parsed.output.MemorySize] : [];
  });
  return Math.max(...sizes);
}

const count = (amount: number) => Math.round(amount).toLocaleString('en');
const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;
