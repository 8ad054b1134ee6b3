import { createServer, type Server } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import * as v from 'valibot';
import { putEvent } from '../session-events/put-event.ts';
import { reasonOf } from '../terminal/reason-of.ts';
import { EventPattern, matchesPattern } from './event-pattern.ts';
import { evaluateTemplate, isSupportedTemplate, valueAt } from './input-template.ts';
import type { StreamRecord } from './table-streams.ts';

/** The properties of a pipe from a DynamoDB stream to an event bus, as in the template. */
export const PipeProperties = v.object({
  RoleArn: v.string(),
  Source: v.string(),
  SourceParameters: v.object({
    DynamoDBStreamParameters: v.object({
      StartingPosition: v.literal('TRIM_HORIZON'),
      BatchSize: v.literal(1),
      MaximumRecordAgeInSeconds: v.number(),
      MaximumRetryAttempts: v.literal(-1),
      DeadLetterConfig: v.object({ Arn: v.string() }),
    }),
    FilterCriteria: v.object({
      Filters: v.array(v.object({ Pattern: v.pipe(v.string(), v.parseJson(), EventPattern) })),
    }),
  }),
  /** The ARN of the event bus. */
  Target: v.string(),
  TargetParameters: v.object({
    EventBridgeEventBusParameters: v.object({ Source: v.string(), DetailType: v.string() }),
    InputTemplate: v.pipe(
      v.string(),
      v.check(isSupportedTemplate, 'this input template is not supported on this machine'),
    ),
  }),
});
export type PipeProperties = v.InferOutput<typeof PipeProperties>;

export interface Pipe {
  name: string;
  properties: PipeProperties;
  deadLetterQueueUrl: string;
}

/** The services that a pipe calls. */
export interface PipeServices {
  events: EventBridgeClient;
  sqs: SQSClient;
  log: (line: string) => void;
}

/** The longest pause between two attempts to publish an event, in milliseconds. */
const LONGEST_PAUSE_MS = 2_000;

/**
 * Runs a pipe until the signal aborts: publishes the records that match a filter, in the order of the stream. An event
 * that cannot be published is retried, and all others wait, as they do in a shard. When the record reaches its maximum
 * age, its position in the stream is sent to the dead-letter queue.
 */
export async function runPipe(
  { name, properties, deadLetterQueueUrl }: Pipe,
  records: AsyncIterable<StreamRecord>,
  { events, sqs, log }: PipeServices,
  signal: AbortSignal,
): Promise<void> {
  const { DynamoDBStreamParameters: parameters, FilterCriteria } = properties.SourceParameters;

  async function publishUntilTooOld(record: StreamRecord): Promise<void> {
    const tooOldAt =
      record.dynamodb.ApproximateCreationDateTime * 1_000 + parameters.MaximumRecordAgeInSeconds * 1_000;
    for (let pause = 50; !signal.aborted; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      try {
        return await putEvent(events, eventOf(properties, record));
      } catch (error) {
        log(`Pipe ${name} failed: ${reasonOf(error)}`);
      }
      if (Date.now() + pause >= tooOldAt) {
        await sqs.send(
          new SendMessageCommand({
            QueueUrl: deadLetterQueueUrl,
            MessageBody: JSON.stringify(deadLetterOf(name, record)),
          }),
        );
        return;
      }
      await setTimeout(pause, undefined, { signal }).catch(() => {});
    }
  }

  for await (const record of records)
    if (FilterCriteria.Filters.some(({ Pattern }) => matchesPattern(Pattern, record)))
      await publishUntilTooOld(record);
}

/** The event that a pipe makes of a record. */
function eventOf({ Target, TargetParameters }: PipeProperties, record: StreamRecord) {
  const { EventBridgeEventBusParameters: parameters, InputTemplate } = TargetParameters;
  return {
    EventBusName: Target,
    Source: parameters.Source,
    DetailType: String(valueAt(parameters.DetailType, record)),
    Detail: JSON.stringify(evaluateTemplate(InputTemplate, record)),
  };
}

/** The message of a record that was given up. It has its position in the stream, not its content. */
function deadLetterOf(name: string, { dynamodb, eventSourceARN }: StreamRecord): object {
  const arrival = new Date(dynamodb.ApproximateCreationDateTime * 1_000).toISOString();
  return {
    context: { partnerResourceArn: name, condition: 'RetryAttemptsExhausted' },
    version: '1.0',
    timestamp: new Date().toISOString(),
    DDBStreamBatchInfo: {
      shardId: SHARD_ID,
      startSequenceNumber: dynamodb.SequenceNumber,
      endSequenceNumber: dynamodb.SequenceNumber,
      approximateArrivalOfFirstRecord: arrival,
      approximateArrivalOfLastRecord: arrival,
      batchSize: 1,
      streamArn: eventSourceARN,
    },
  };
}

const SHARD_ID = 'shardId-00000000000000000001-00000001';

/** Simulates the part of the Pipes API that `npx vss-webhook doctor` uses: DescribePipe. */
export function pipesApi(pipes: ReadonlyMap<string, Pipe>): Server {
  return createServer((request, response) => {
    const name = decodeURIComponent(/^\/v1\/pipes\/([^/?]+)$/.exec(request.url ?? '')?.[1] ?? '');
    const pipe = request.method === 'GET' ? pipes.get(name) : undefined;
    response.setHeader('Content-Type', 'application/json');
    if (!pipe) {
      response.writeHead(404, { 'x-amzn-errortype': 'NotFoundException' });
      response.end(JSON.stringify({ message: `There is no pipe ${name}, or the request is not supported.` }));
      return;
    }
    const { FilterCriteria } = pipe.properties.SourceParameters;
    const Filters = FilterCriteria.Filters.map(({ Pattern }) => ({ Pattern: JSON.stringify(Pattern) }));
    response.end(
      JSON.stringify({
        ...pipe.properties,
        Name: name,
        CurrentState: 'RUNNING',
        DesiredState: 'RUNNING',
        SourceParameters: { ...pipe.properties.SourceParameters, FilterCriteria: { Filters } },
      }),
    );
  });
}
