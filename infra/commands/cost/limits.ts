import * as v from 'valibot';
import { MAX_SESSIONS } from '../../../functions/reconciliation/exported-sessions.ts';
import type { Template } from '../../local/template.ts';
import { EventSource, MEASURED, type Usage } from './estimate.ts';
import quotas from './quotas.json' with { type: 'json' };
import { READ_DAYS } from './reconciliation.ts';
import { ADDED, publishedShare, SHARDS } from './session-events.ts';
import { functionOf, propertiesOf } from './template-figures.ts';

/** The number of sessions per second that a part of a stage can handle, and what raises it. */
export interface Limit {
  part: string;
  /** Infinity if AWS documents none. */
  perSecond: number;
  raisedBy: string;
}

/** The time that the pipe needs for an event. It publishes them one by one, so that they stay in order. */
const ASSUMED_PIPE_MS = 50;

/** How many times a query on a view scans a record: the last two full exports, three times each. */
const SCANS = 6;

/** For which a table without `retentionDays` is assumed to have records. */
const DEFAULT_DAYS = 365;

/** The limits of the parts of a stage, in the order of a delivery. */
export function limits(template: Template, usage: Usage): Limit[] {
  return [
    ...deliveryLimits(template, usage),
    ...tableLimits(template, usage),
    ...eventLimits(template, usage),
    ...analysisLimits(template),
  ];
}

function deliveryLimits(template: Template, { webhookMs, recorderMs }: Usage): Limit[] {
  const [stage] = propertiesOf(template, 'AWS::ApiGateway::Stage');
  const [source] = propertiesOf(template, 'AWS::Lambda::EventSourceMapping');
  const { BatchSize, ScalingConfig } = v.parse(EventSource, source);
  const reserved = functionOf(template, 'Webhook')?.ReservedConcurrentExecutions;
  // However short they are, Lambda allows ten requests per second for each unit of concurrency.
  const perEnvironment = (ms: number) => Math.min(quotas.requestsPerSecondAndConcurrency, 1_000 / ms);
  return [
    {
      part: 'API Gateway, throttling of the stage',
      perSecond: v.parse(ApiStage, stage).MethodSettings[0].ThrottlingRateLimit,
      raisedBy: 'throttlingRate',
    },
    {
      part: 'API Gateway, all APIs of the account',
      perSecond: quotas.apiRequestsPerSecond,
      raisedBy: 'a quota increase; 2,500 in some regions',
    },
    {
      part: 'Lambda, webhook',
      perSecond: (reserved ?? quotas.concurrentExecutions) * perEnvironment(webhookMs),
      raisedBy: reserved ? 'webhookConcurrency' : 'a quota increase; all functions of the account share it',
    },
    { part: 'SQS', perSecond: Number.POSITIVE_INFINITY, raisedBy: 'AWS: "nearly unlimited"' },
    {
      part: 'Lambda, recorder',
      perSecond: ScalingConfig.MaximumConcurrency * BatchSize * perEnvironment(recorderMs),
      raisedBy: 'recorderConcurrency',
    },
  ];
}

function tableLimits(template: Template, { unsuccessful }: Usage): Limit[] {
  const hasEvents = propertiesOf(template, 'AWS::Pipes::Pipe').length > 0;
  const units = MEASURED.writeUnits + (hasEvents ? ADDED.writeUnits : 0);
  const indexUnits = MEASURED.indexWriteUnits + (hasEvents ? ADDED.indexWriteUnits : 0);
  return [
    {
      part: 'DynamoDB, new table',
      perSecond: quotas.newTableWriteUnits / units,
      raisedBy: 'its load, to twice the last peak; warm throughput',
    },
    {
      part: 'DynamoDB, table',
      perSecond: quotas.tableWriteUnits / units,
      raisedBy: 'a quota increase',
    },
    {
      part: 'DynamoDB, index, of one sub-account',
      perSecond: quotas.keyWriteUnits / (indexUnits * unsuccessful),
      raisedBy: 'nothing: it is the limit of a key',
    },
  ];
}

function eventLimits(template: Template, usage: Usage): Limit[] {
  const [pipe] = propertiesOf(template, 'AWS::Pipes::Pipe');
  if (!pipe) return [];
  const { BatchSize, ParallelizationFactor } = v.parse(Pipe, pipe).SourceParameters.DynamoDBStreamParameters;
  const share = publishedShare(pipe, usage);
  const perShard = (ParallelizationFactor * BatchSize * 1_000) / ASSUMED_PIPE_MS;
  return [
    {
      part: `EventBridge pipe, ${SHARDS} shards`,
      perSecond: (SHARDS * perShard) / share,
      raisedBy: 'the table, which has more shards if it has more load',
    },
    {
      part: 'EventBridge, events of the account',
      perSecond: quotas.putEventsPerSecond / share,
      raisedBy: 'a quota increase; 400 to 2,400 in most regions',
    },
  ];
}

/** The limits of what is not done at once: means over days. */
function analysisLimits(template: Template): Limit[] {
  const found: Limit[] = [];
  if (functionOf(template, 'Reconciliation')) {
    found.push({
      part: `Reconciliation, of one sub-account, mean`,
      perSecond: MAX_SESSIONS / (READ_DAYS * DAY_SECONDS),
      raisedBy: 'nothing: a day above it is held',
    });
  }
  const [workgroup] = propertiesOf(template, 'AWS::Athena::WorkGroup');
  if (workgroup) {
    const { BytesScannedCutoffPerQuery } = v.parse(Workgroup, workgroup).WorkGroupConfiguration;
    const retention = functionOf(template, 'Recorder')?.Environment.Variables['RETENTION_DAYS'];
    const days = Number(retention ?? DEFAULT_DAYS);
    found.push({ part: 'Exports', perSecond: Number.POSITIVE_INFINITY, raisedBy: 'AWS documents no rate' });
    found.push({
      part: `Athena, records of ${days} days, mean`,
      perSecond: BytesScannedCutoffPerQuery / (MEASURED.exportedBytes * SCANS) / (days * DAY_SECONDS),
      raisedBy: 'queryScanLimitGigabytes; a lower retentionDays',
    });
  }
  return found;
}

const DAY_SECONDS = 86_400;

const ApiStage = v.object({
  MethodSettings: v.tuple([v.object({ ThrottlingRateLimit: v.number() })]),
});
const Pipe = v.object({
  SourceParameters: v.object({
    DynamoDBStreamParameters: v.object({ BatchSize: v.number(), ParallelizationFactor: v.number() }),
  }),
});
const Workgroup = v.object({
  WorkGroupConfiguration: v.object({ BytesScannedCutoffPerQuery: v.number() }),
});
