import { rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { buildApp } from 'fauxqs';
import * as v from 'valibot';
import { StackOutputs, stackName } from '../stack-outputs.ts';
import { reasonOf } from '../terminal/reason-of.ts';
import { type Answer, type Api, allowedAddresses, apiGateway } from './api-gateway.ts';
import { CloudWatch } from './cloudwatch.ts';
import { dynamodbServer } from './dynamodb.ts';
import { pollQueue } from './event-source.ts';
import { type LocalFunction, localFunction } from './lambda.ts';
import { lambdaApi } from './lambda-api.ts';
import { close, listenOnLoopback } from './loopback.ts';
import { provisioners } from './provisioners.ts';
import { type Endpoints, noteRunning, noteStopped } from './running.ts';
import { secretsManager } from './secrets-manager.ts';
import type { Schedule, Site } from './site.ts';
import { readSettings, synthesize } from './synthesize.ts';
import { provision, REGION, readTemplate } from './template.ts';
import { VoiceApi } from './voice-api.ts';
import { voiceApiServer } from './voice-api-server.ts';

const STAGE = 'local';
const STACK_NAME = stackName(STAGE);

/** The whole stack, running on this machine. */
export interface LocalStack {
  outputs: StackOutputs;
  /** Where 8x8 would deliver. */
  webhookUrl: string;
  /** The Authorization value that the webhook accepts. */
  authorization: string;
  tableName: string;
  queueUrl: string;
  deadLetterQueueUrl: string;
  /** Where each service listens. */
  endpoints: Endpoints;
  /** The functions, by ARN. */
  functions: ReadonlyMap<string, LocalFunction>;
  /** The stand-in for 8x8, where the stack has registered its webhook. */
  voiceApi: VoiceApi;
  /** Where a URL of API Gateway is on this machine, as DNS would say. */
  resolve(url: string): string;
  sqs: SQSClient;
  dynamodb: DynamoDBClient;
  stop(): Promise<void>;
}

export interface LocalStackOptions {
  /** Where the webhook listens; 0 for any free port. */
  port: number;
  /** Takes each line that a function logs. */
  log: (line: string) => void;
  /** Takes each answer of the API. */
  onAnswer?: (answer: Answer) => void;
  /** The cloud assembly of the stage `local`. Default: it is synthesized, and removed again. */
  assembly?: string;
  /** Settings of the stage `local` to replace when it is synthesized. */
  settings?: object;
  /** How many events each function processes at a time, and how many pollers read a queue. */
  concurrency?: number;
  /** Puts something between the functions and a service: takes where the service is, returns where they call it. */
  between?: (service: 'sqs' | 'dynamodb', endpoint: string) => Promise<string>;
}

/** What the stand-in for 8x8 takes for the API key. */
export const API_KEY = 'local-api-key';

/**
 * Runs what the template of the stage `local` says: queues and topics on fauxqs, tables on
 * dynalite, secrets and metrics on stand-ins, each function's bundle in its own processes, API methods over HTTP, event source
 * mappings as pollers, schedules as timers, 8x8 as a stand-in. Listens on the loopback interface only.
 */
export async function startLocalStack({
  port,
  log,
  onAnswer,
  assembly: given,
  settings = {},
  concurrency,
  between = async (_, endpoint) => endpoint,
}: LocalStackOptions): Promise<LocalStack> {
  const api: Api = {
    stageName: '',
    binary: false,
    allowed: allowedAddresses([]),
    responses: new Map(),
    methods: [],
  };
  const secrets = new Map<string, string>();
  const functions = new Map<string, LocalFunction>();
  const voiceApi = new VoiceApi(API_KEY, []);
  const cloudWatch = new CloudWatch();
  const cleanUp: (() => unknown)[] = [];
  const stopping = new AbortController();
  const gateway = apiGateway(api, log, onAnswer);

  async function stop(): Promise<void> {
    // First the way in: what has arrived is answered before anything else ends.
    await close(gateway);
    stopping.abort();
    for (const step of cleanUp.splice(0).reverse()) await step();
  }

  async function listen(server: Server): Promise<string> {
    const url = await listenOnLoopback(server, 0);
    cleanUp.push(() => close(server));
    return url;
  }

  function start(...[definition, endpoints]: [Parameters<Site['start']>[0], Record<string, string>]) {
    const note = (line: string) => {
      cloudWatch.note(line);
      log(line);
    };
    const started = localFunction(definition, endpoints, note, concurrency);
    cleanUp.push(started.stop);
    return started;
  }

  try {
    const webhook = await listenOnLoopback(gateway, port);
    const queues = buildApp({ logger: false });
    const sqsEndpoint = await queues.listen({ port: 0, host: '127.0.0.1' });
    cleanUp.push(() => queues.close());
    const endpoints: Endpoints = {
      sqs: sqsEndpoint,
      dynamodb: await listen(dynamodbServer()),
      lambda: await listen(lambdaApi(functions)),
      cloudwatch: await listen(cloudWatch.server((name) => oldestMessage(sqsEndpoint, name))),
      secretsManager: await listen(secretsManager(secrets)),
      // The emulator of the queues is one of topics, too.
      sns: sqsEndpoint,
      voiceApi: await listen(voiceApiServer(voiceApi)),
    };
    const called = {
      sqs: await between('sqs', endpoints.sqs),
      dynamodb: await between('dynamodb', endpoints.dynamodb),
    };
    const assembly = given ?? (await synthesize(STAGE, settings));
    if (!given) cleanUp.push(() => rmSync(assembly, { recursive: true, force: true }));
    const { apiKeySecretName, subAccountIds, webhooksApiUrl } = readSettings(STAGE);
    secrets.set(apiKeySecretName, API_KEY);
    for (const subAccountId of subAccountIds) voiceApi.webhooks.set(subAccountId, []);

    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    // A queue's URL says where the functions call it, which need not be where it is.
    const sqs = new SQSClient({
      endpoint: endpoints.sqs,
      useQueueUrlAsEndpoint: false,
      region: REGION,
      credentials,
    });
    const dynamodb = new DynamoDBClient({ endpoint: endpoints.dynamodb, region: REGION, credentials });
    const sns = new SNSClient({ endpoint: endpoints.sns, region: REGION, credentials });
    const site: Site = {
      stackName: STACK_NAME,
      assembly,
      sqs,
      sqsEndpoint: called.sqs,
      dynamodb,
      sns,
      start: (definition) =>
        start(definition, {
          AWS_ENDPOINT_URL_SQS: called.sqs,
          AWS_ENDPOINT_URL_DYNAMODB: called.dynamodb,
          AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoints.secretsManager,
        }),
      queueUrls: new Map(),
      secrets,
      functions,
      eventSources: [],
      schedules: [],
      api,
    };
    // On this machine the stand-in listens where 8x8 would.
    const template = readTemplate(assembly, STACK_NAME, { [webhooksApiUrl]: endpoints.voiceApi });
    const outputs = v.parse(
      StackOutputs,
      Object.fromEntries(await provision(template, STACK_NAME, provisioners(site))),
    );
    const polling = site.eventSources.flatMap((source) =>
      Array.from({ length: concurrency ?? 1 }, () => pollQueue(sqs, source, stopping.signal, log)),
    );
    cleanUp.push(() => Promise.all(polling));
    for (const schedule of site.schedules) runOnSchedule(schedule, stopping.signal, log);
    const actualPort = Number(new URL(webhook).port);
    try {
      noteRunning(actualPort, { outputs, endpoints });
      cleanUp.push(() => noteStopped(actualPort));
    } catch (error) {
      log(`Other commands will not find this stack: ${reasonOf(error)}`);
    }

    return {
      outputs,
      webhookUrl: `${webhook}${new URL(outputs.WebhookUrl).pathname}`,
      authorization: secrets.get(outputs.AuthorizationSecretArn) ?? '',
      tableName: outputs.TableName,
      queueUrl: outputs.QueueUrl,
      deadLetterQueueUrl: outputs.DeadLetterQueueUrl,
      endpoints,
      functions,
      voiceApi,
      resolve: (url) => (url === outputs.WebhookUrl ? `${webhook}${new URL(url).pathname}` : url),
      sqs,
      dynamodb,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Invokes a function at once, as a schedule does that is new, and then at its intervals, until the signal. */
function runOnSchedule(
  { minutes, target, event }: Schedule,
  signal: AbortSignal,
  log: (line: string) => void,
): void {
  const invoke = () =>
    target.invoke(event).catch((error: Error) => signal.aborted || log(`Schedule: ${error.message}`));
  const timer = setInterval(invoke, minutes * 60_000);
  signal.addEventListener('abort', () => clearInterval(timer));
  void invoke();
}

const QueueContents = v.object({
  messages: v.object({
    ready: v.array(v.object({ sentTimestamp: v.number() })),
    inflight: v.array(v.object({ message: v.object({ sentTimestamp: v.number() }) })),
  }),
});

/** The age in seconds of a queue's oldest message, which the emulator shows without receiving it. */
async function oldestMessage(sqsEndpoint: string, queueName: string): Promise<number | undefined> {
  const response = await fetch(`${sqsEndpoint}/_fauxqs/queues/${queueName}`);
  const { messages } = v.parse(QueueContents, await response.json());
  const sent = [...messages.ready, ...messages.inflight.map(({ message }) => message)].map(
    ({ sentTimestamp }) => sentTimestamp,
  );
  return sent.length === 0 ? undefined : Math.floor((Date.now() - Math.min(...sent)) / 1_000);
}
