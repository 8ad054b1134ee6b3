import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { BusEvent } from '../../../infra/local/event-bus.ts';
import { type Pipe, runPipe } from '../../../infra/local/pipe.ts';
import { startServices } from '../../../infra/local/services.ts';
import { TableStreams } from '../../../infra/local/table-streams.ts';
import { REGION } from '../../../infra/local/template.ts';

/** A pipe publishes what its filter selects, in order, and gives up only what is too old. */

const STREAM = 'arn:aws:dynamodb:us-east-1:000000000000:table/sessions/stream/1';
const COMMON = { region: REGION, credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };

const cleanUp = new AsyncDisposableStack();
const published: BusEvent[] = [];
let sqs: SQSClient;
let events: EventBridgeClient;
let deadLetterQueueUrl = '';
beforeAll(async () => {
  const services = await startServices(cleanUp, { log: () => {}, onEvent: (event) => published.push(event) });
  services.eventBridge.busNames.add('bus');
  sqs = new SQSClient({ ...COMMON, endpoint: services.endpoints.sqs, useQueueUrlAsEndpoint: false });
  events = new EventBridgeClient({ ...COMMON, endpoint: services.endpoints.events });
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: 'dead-letters' }));
  deadLetterQueueUrl = QueueUrl;
});
afterAll(() => cleanUp.disposeAsync());

const pipeTo = (bus: string, MaximumRecordAgeInSeconds = 43_200): Pipe => ({
  name: 'pipe',
  deadLetterQueueUrl,
  properties: {
    RoleArn: 'role',
    Source: STREAM,
    SourceParameters: {
      DynamoDBStreamParameters: {
        StartingPosition: 'TRIM_HORIZON',
        BatchSize: 1,
        MaximumRecordAgeInSeconds,
        MaximumRetryAttempts: -1,
        DeadLetterConfig: { Arn: 'queue' },
      },
      FilterCriteria: {
        Filters: [{ Pattern: { dynamodb: { NewImage: { type: { S: ['Added', 'Changed'] } } } } }],
      },
    },
    Target: `arn:aws:events:us-east-1:000000000000:event-bus/${bus}`,
    TargetParameters: {
      EventBridgeEventBusParameters: { Source: 'test', DetailType: '$.dynamodb.NewImage.type.S' },
      InputTemplate: '{"id": "<$.dynamodb.NewImage.id.S>"}',
    },
  },
});

/** Puts items with these ids and types into a table with a stream, and runs a pipe until it has processed all. */
async function publish(pipe: Pipe, items: readonly [id: string, type: string][]): Promise<string[]> {
  const streams = new TableStreams();
  streams.enable('sessions', STREAM, ['id']);
  const stream = streams.find(STREAM);
  for (const [id, type] of items) stream.put({ id: { S: id }, type: { S: type } });
  const stopping = new AbortController();
  const logged: string[] = [];
  const log = (line: string) => logged.push(line);
  const running = runPipe(pipe, stream.read(stopping.signal), { events, sqs, log }, stopping.signal);
  await stream.isRead();
  stopping.abort();
  await running;
  return logged;
}

it('publishes the changes that its filter selects, in order', async () => {
  published.length = 0;

  await publish(pipeTo('bus'), [
    ['1', 'Added'],
    ['2', 'Other'],
    ['3', 'Added'],
    ['1', 'Changed'],
    ['1', 'Changed'],
  ]);

  expect(published.map((event) => [event['detail-type'], event.source, event.detail])).toEqual([
    ['Added', 'test', { id: '1' }],
    ['Added', 'test', { id: '3' }],
    // The last write changed nothing, so the stream has no record of it.
    ['Changed', 'test', { id: '1' }],
  ]);
});

it('sends the position of a change that is too old to its dead-letter queue, and continues', async () => {
  const logged = await publish(pipeTo('nowhere', 0), [
    ['1', 'Added'],
    ['2', 'Added'],
  ]);

  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl: deadLetterQueueUrl, MaxNumberOfMessages: 10 }),
  );
  expect(logged[0]).toContain('Event bus nowhere does not exist');
  expect(Messages.map(({ Body = '' }) => JSON.parse(Body).DDBStreamBatchInfo)).toMatchObject(
    ['1', '2'].map((number) => ({
      streamArn: STREAM,
      startSequenceNumber: number.padStart(21, '0'),
      endSequenceNumber: number.padStart(21, '0'),
      batchSize: 1,
    })),
  );
});
