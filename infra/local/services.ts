import type { Server } from 'node:http';
import { buildApp } from 'fauxqs';
import * as v from 'valibot';
import { CloudWatch } from './cloudwatch.ts';
import { dynamodbServer } from './dynamodb.ts';
import { type BusEvent, EventBridge } from './event-bus.ts';
import { Fake8x8 } from './fake-8x8/fake-8x8.ts';
import { fake8x8Server } from './fake-8x8/server.ts';
import type { LocalFunction } from './lambda.ts';
import { lambdaApi } from './lambda-api.ts';
import { close, listenOnLoopback } from './loopback.ts';
import { type Pipe, pipesApi } from './pipe.ts';
import type { Endpoints } from './running.ts';
import { secretsManager } from './secrets-manager.ts';
import { TableStreams } from './table-streams.ts';

/** The API key that the fake 8x8 accepts. */
export const API_KEY = 'local-api-key';

/** The AWS services that the stack uses, and 8x8, each listening on the loopback interface. */
export interface Services {
  endpoints: Endpoints;
  /** Values of secrets, by ARN or name. */
  secrets: Map<string, string>;
  /** The functions, by ARN. */
  functions: Map<string, LocalFunction>;
  fake8x8: Fake8x8;
  cloudWatch: CloudWatch;
  streams: TableStreams;
  eventBridge: EventBridge;
  /** The pipes, by name. */
  pipes: Map<string, Pipe>;
}

export interface ServiceOptions {
  /** Called with a line for each failure. */
  log: (line: string) => void;
  /** Called with each event that an event bus has accepted. */
  onEvent: (event: BusEvent) => void;
}

/** Starts the services. `cleanUp` stops them. */
export async function startServices(
  cleanUp: AsyncDisposableStack,
  { log, onEvent }: ServiceOptions,
): Promise<Services> {
  const listen = (server: Server) => {
    cleanUp.defer(() => close(server));
    return listenOnLoopback(server, 0);
  };
  const secrets = new Map<string, string>();
  const functions = new Map<string, LocalFunction>();
  const fake8x8 = new Fake8x8(API_KEY, []);
  const cloudWatch = new CloudWatch();
  const streams = new TableStreams();
  const eventBridge = new EventBridge(onEvent, log);
  const pipes = new Map<string, Pipe>();
  const sqs = await startFauxqs(cleanUp);
  const dynamodb = await listen(dynamodbServer(streams));
  const endpoints: Endpoints = {
    sqs,
    sns: sqs,
    s3: sqs,
    dynamodb,
    dynamodbStreams: dynamodb,
    lambda: await listen(lambdaApi(functions)),
    cloudwatch: await listen(cloudWatch.server((name) => oldestMessage(sqs, name))),
    secretsManager: await listen(secretsManager(secrets)),
    events: await listen(eventBridge.server()),
    pipes: await listen(pipesApi(pipes)),
    fake8x8: await listen(fake8x8Server(fake8x8)),
  };
  return { endpoints, secrets, functions, fake8x8, cloudWatch, streams, eventBridge, pipes };
}

/** Starts fauxqs, which emulates SQS, SNS and S3 at one endpoint. */
async function startFauxqs(cleanUp: AsyncDisposableStack): Promise<string> {
  const app = buildApp({ logger: false });
  cleanUp.defer(() => app.close());
  // Otherwise an object may have at most 11 MiB.
  const options = { parseAs: 'buffer', bodyLimit: MAX_OBJECT_BYTES } as const;
  app.addContentTypeParser(OBJECT_TYPES, options, (_request, body, done) => done(null, body));
  return app.listen({ port: 0, host: '127.0.0.1' });
}

const MAX_OBJECT_BYTES = 1024 ** 3;

/** The types of the objects that the functions write. */
const OBJECT_TYPES = ['application/gzip', 'application/json', 'application/octet-stream'];

const QueueContents = v.object({
  messages: v.object({
    ready: v.array(v.object({ sentTimestamp: v.number() })),
    inflight: v.array(v.object({ message: v.object({ sentTimestamp: v.number() }) })),
  }),
});

/** The age in seconds of a queue's oldest message, read from the emulator without receiving the message. */
async function oldestMessage(sqsEndpoint: string, queueName: string): Promise<number | undefined> {
  const response = await fetch(`${sqsEndpoint}/_fauxqs/queues/${queueName}`);
  const { messages } = v.parse(QueueContents, await response.json());
  const sent = [...messages.ready, ...messages.inflight.map(({ message }) => message)].map(
    ({ sentTimestamp }) => sentTimestamp,
  );
  return sent.length === 0 ? undefined : Math.floor((Date.now() - Math.min(...sent)) / 1_000);
}
