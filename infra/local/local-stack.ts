import { rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import dynalite from 'dynalite';
import { buildApp } from 'fauxqs';
import * as v from 'valibot';
import { StackOutputs, stackName } from '../stack-outputs.ts';
import { type Api, apiGateway } from './api-gateway.ts';
import { pollQueue } from './event-source.ts';
import { localFunction } from './lambda.ts';
import { provisioners, type Site } from './provisioners.ts';
import { noteRunning, noteStopped } from './running.ts';
import { secretsManager } from './secrets-manager.ts';
import { synthesize } from './synthesize.ts';
import { provision, REGION, readTemplate } from './template.ts';

const STAGE = 'local';
const STACK_NAME = stackName(STAGE);

/** The whole stack, running on this machine. */
export interface LocalStack {
  /** Where 8x8 would deliver. */
  webhookUrl: string;
  /** The Authorization value that the webhook accepts. */
  authorization: string;
  tableName: string;
  queueUrl: string;
  deadLetterQueueUrl: string;
  /** Where each service listens. */
  endpoints: { sqs: string; dynamodb: string };
  sqs: SQSClient;
  dynamodb: DynamoDBClient;
  stop(): Promise<void>;
}

export interface LocalStackOptions {
  /** Where the webhook listens; 0 for any free port. */
  port: number;
  /** Takes each line that a function logs. */
  log: (line: string) => void;
}

/**
 * Synthesizes the stack of the stage `local` and runs what its template says: queues on fauxqs, tables on dynalite,
 * secrets on a stand-in, each function's bundle in its own processes, API methods over HTTP, event source mappings
 * as pollers. Listens on the loopback interface only.
 */
export async function startLocalStack({ port, log }: LocalStackOptions): Promise<LocalStack> {
  const api: Api = { stageName: '', binary: false, methods: [] };
  const secrets = new Map<string, string>();
  const cleanUp: (() => unknown)[] = [];
  const stopping = new AbortController();
  const gateway = apiGateway(api, log);

  async function stop(): Promise<void> {
    // First the way in: what has arrived is answered before anything else ends.
    await close(gateway);
    stopping.abort();
    for (const step of cleanUp.splice(0).reverse()) await step();
  }

  async function listen(server: Server, at: number): Promise<string> {
    const url = await listenOnLoopback(server, at);
    cleanUp.push(() => close(server));
    return url;
  }

  try {
    const webhook = await listenOnLoopback(gateway, port);
    const queues = buildApp({ logger: false });
    const sqsEndpoint = await queues.listen({ port: 0, host: '127.0.0.1' });
    cleanUp.push(() => queues.close());
    const dynamodbEndpoint = await listen(dynalite({ createTableMs: 0 }), 0);
    const secretsEndpoint = await listen(secretsManager(secrets), 0);
    const assembly = await synthesize(STAGE);
    cleanUp.push(() => rmSync(assembly, { recursive: true, force: true }));

    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    const sqs = new SQSClient({ endpoint: sqsEndpoint, region: REGION, credentials });
    const dynamodb = new DynamoDBClient({ endpoint: dynamodbEndpoint, region: REGION, credentials });
    const endpoints = {
      AWS_ENDPOINT_URL_SQS: sqsEndpoint,
      AWS_ENDPOINT_URL_DYNAMODB: dynamodbEndpoint,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsEndpoint,
    };
    const site: Site = {
      stackName: STACK_NAME,
      assembly,
      sqs,
      sqsEndpoint,
      dynamodb,
      start(definition) {
        const started = localFunction(definition, endpoints, log);
        cleanUp.push(started.stop);
        return started;
      },
      queueUrls: new Map(),
      secrets,
      functions: new Map(),
      eventSources: [],
      api,
    };
    const outputs = v.parse(
      StackOutputs,
      Object.fromEntries(await provision(readTemplate(assembly, STACK_NAME), STACK_NAME, provisioners(site))),
    );
    const polling = site.eventSources.map((source) => pollQueue(sqs, source, stopping.signal, log));
    cleanUp.push(() => Promise.all(polling));
    const services = { sqs: sqsEndpoint, dynamodb: dynamodbEndpoint };
    const actualPort = Number(new URL(webhook).port);
    noteRunning(actualPort, { outputs, endpoints: services });
    cleanUp.push(() => noteStopped(actualPort));

    return {
      webhookUrl: `${webhook}${new URL(outputs.WebhookUrl).pathname}`,
      authorization: secrets.get(outputs.AuthorizationSecretArn) ?? '',
      tableName: outputs.TableName,
      queueUrl: outputs.QueueUrl,
      deadLetterQueueUrl: outputs.DeadLetterQueueUrl,
      endpoints: services,
      sqs,
      dynamodb,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function listenOnLoopback(server: Server, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      const actual = typeof address === 'object' && address !== null ? address.port : port;
      resolve(`http://127.0.0.1:${actual}`);
    });
  });
}

/** How long a server that stops waits for the requests it has begun. */
const GRACE_MS = 2_000;

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), GRACE_MS).unref();
  });
}
