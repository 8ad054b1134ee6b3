import { rmSync } from 'node:fs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { S3Client } from '@aws-sdk/client-s3';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import * as v from 'valibot';
import { clientSettings } from '../../functions/client-settings.ts';
import { StackOutputs, stackName } from '../stack-outputs.ts';
import { reasonOf } from '../terminal/reason-of.ts';
import { type Answer, type Api, allowedAddresses, apiGateway } from './api-gateway.ts';
import { runOnSchedule, startPipes, startPolling } from './background.ts';
import type { BusEvent } from './event-bus.ts';
import type { Fake8x8 } from './fake-8x8/fake-8x8.ts';
import { LocalFunction } from './lambda.ts';
import { close, listenOnLoopback } from './loopback.ts';
import { provisionerOf } from './provisioners.ts';
import type { ProvisioningContext } from './provisioning-context.ts';
import { type Endpoints, noteRunning, noteStopped, type Running } from './running.ts';
import { API_KEY, type Services, startServices } from './services.ts';
import { readSettings, synthesize } from './synthesize.ts';
import type { StreamRecord } from './table-streams.ts';
import { provision, REGION, readTemplate, type Template } from './template.ts';

const STAGE = 'local';
const STACK_NAME = stackName(STAGE);

/** The running stack. */
export interface LocalStack {
  outputs: StackOutputs;
  /** The outputs of the template of the consumers. */
  consumerOutputs: ReadonlyMap<string, string>;
  /** The URL of the webhook on this machine. */
  webhookUrl: string;
  /** The Authorization value that the webhook accepts. */
  authorization: string;
  tableName: string;
  queueUrl: string;
  deadLetterQueueUrl: string;
  /** The bucket of the exports; undefined if the template has none. */
  bucketName: string | undefined;
  /** The endpoint of each service. */
  endpoints: Endpoints;
  /** The functions, by ARN. */
  functions: ReadonlyMap<string, LocalFunction>;
  /** The fake 8x8, where the stack has registered its webhook. */
  fake8x8: Fake8x8;
  /** The changes of the table so far; none if it has no stream. */
  changes(): readonly StreamRecord[];
  /** Resolves when the events of all changes so far are published. */
  eventsPublished(): Promise<void>;
  /** Maps the registered URL to the webhook on this machine, in place of DNS. */
  resolve(url: string): string;
  sqs: SQSClient;
  dynamodb: DynamoDBClient;
  s3: S3Client;
  stop(): Promise<void>;
}

export interface LocalStackOptions {
  /** The port of the webhook; 0 for any free port. */
  port: number;
  /** Called with each log line of the functions. */
  log: (line: string) => void;
  /** Called with each answer of the API. */
  onAnswer?: (answer: Answer) => void;
  /** Called with each event that an event bus has accepted. */
  onEvent?: (event: BusEvent) => void;
  /** The cloud assembly of the stage `local`. By default, a new one is synthesized, and removed afterwards. */
  assembly?: string;
  /** Settings that override those of the stage `local` in cdk.json. */
  settings?: object;
  /** A template of rules, queues and topics that receive session events. */
  consumers?: Template;
  /** How many events each function processes concurrently, and how many pollers read a queue. */
  concurrency?: number;
  /** Inserts a proxy between the functions, or the pipe, and a service. Returns the endpoint that they call. */
  between?: (service: 'sqs' | 'dynamodb' | 'events', endpoint: string) => Promise<string>;
}

/**
 * Runs the template of the stage `local`: queues, topics and buckets on fauxqs, the table on dynalite, each function in child
 * processes, event source mappings as pollers, schedules as timers, and simulations of API Gateway, Secrets Manager,
 * CloudWatch metrics and 8x8. Listens on the loopback interface only.
 */
export async function startLocalStack(options: LocalStackOptions): Promise<LocalStack> {
  const { port, log, onAnswer, onEvent = () => {} } = options;
  const api: Api = {
    stageName: '',
    binary: false,
    allowed: allowedAddresses([]),
    responses: new Map(),
    methods: [],
  };
  const gateway = apiGateway(api, log, onAnswer);
  const stopping = new AbortController();
  const cleanUp = new AsyncDisposableStack();

  async function stop(): Promise<void> {
    // Closes the API first, so that pending requests are answered while everything else still runs.
    await close(gateway);
    stopping.abort();
    await cleanUp.disposeAsync();
  }

  try {
    const webhook = await listenOnLoopback(gateway, port);
    const services = await startServices(cleanUp, { log, onEvent });
    const context = await provisioningContext(options, services, api, cleanUp);
    // The fake 8x8 replaces the real one.
    const { webhooksApiUrl, logExportUrl } = readSettings(STAGE);
    const { fake8x8 } = services.endpoints;
    const urls = { [webhooksApiUrl]: fake8x8, [logExportUrl]: fake8x8 };
    const template = readTemplate(context.assembly, STACK_NAME, urls);
    const provisioned = await provision(template, STACK_NAME, provisionerOf(context));
    const outputs = v.parse(StackOutputs, Object.fromEntries(provisioned));
    const consumerOutputs =
      options.consumers && (await provision(options.consumers, STACK_NAME, provisionerOf(context)));
    cleanUp.defer(startPolling(context, options, stopping.signal));
    cleanUp.defer(startPipes(context, options.log, stopping.signal));
    for (const schedule of context.schedules) runOnSchedule(schedule, stopping.signal, log);
    announce(Number(new URL(webhook).port), { outputs, endpoints: services.endpoints }, cleanUp, log);
    const webhookUrl = `${webhook}${new URL(outputs.WebhookUrl).pathname}`;
    return {
      outputs,
      consumerOutputs: consumerOutputs ?? new Map(),
      webhookUrl,
      authorization: context.secrets.get(outputs.AuthorizationSecretArn) ?? '',
      tableName: outputs.TableName,
      queueUrl: outputs.QueueUrl,
      deadLetterQueueUrl: outputs.DeadLetterQueueUrl,
      bucketName: outputs.ExportBucketName,
      endpoints: services.endpoints,
      functions: context.functions,
      fake8x8: services.fake8x8,
      changes: () => streamsOf(context).flatMap(({ records }) => records),
      eventsPublished: () => context.streams.areRead(),
      resolve: (url) => (url === outputs.WebhookUrl ? webhookUrl : url),
      sqs: context.sqs,
      dynamodb: context.dynamodb,
      s3: context.s3,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Creates the clients and collections that the provisioners share. */
async function provisioningContext(
  {
    log,
    assembly: given,
    settings,
    concurrency,
    between = async (_, endpoint) => endpoint,
  }: LocalStackOptions,
  { endpoints, secrets, functions, fake8x8, cloudWatch, streams, eventBridge, pipes }: Services,
  api: Api,
  cleanUp: AsyncDisposableStack,
): Promise<ProvisioningContext> {
  const assembly = given ?? (await synthesize(STAGE, settings));
  if (!given) cleanUp.defer(() => rmSync(assembly, { recursive: true, force: true }));
  const { apiKeySecretName, subAccountIds } = readSettings(STAGE);
  secrets.set(apiKeySecretName, API_KEY);
  for (const subAccountId of subAccountIds) fake8x8.webhooks.set(subAccountId, []);

  const functionEndpoints = {
    AWS_ENDPOINT_URL_SQS: await between('sqs', endpoints.sqs),
    AWS_ENDPOINT_URL_DYNAMODB: await between('dynamodb', endpoints.dynamodb),
    AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoints.secretsManager,
    AWS_ENDPOINT_URL_CLOUDWATCH: endpoints.cloudwatch,
    // The host is an address, so the SDK puts the name of a bucket into the path.
    AWS_ENDPOINT_URL_S3: endpoints.s3,
  };
  const logAndCount = (line: string) => {
    cloudWatch.note(line);
    log(line);
  };
  const common = { region: REGION, credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
  return {
    stackName: STACK_NAME,
    assembly,
    // A queue URL contains the endpoint that the functions call, which may be a proxy.
    sqs: new SQSClient({ ...common, endpoint: endpoints.sqs, useQueueUrlAsEndpoint: false }),
    sqsEndpoint: functionEndpoints.AWS_ENDPOINT_URL_SQS,
    dynamodb: new DynamoDBClient({ ...common, endpoint: endpoints.dynamodb }),
    sns: new SNSClient({ ...common, endpoint: endpoints.sns }),
    s3: new S3Client({ ...common, endpoint: endpoints.s3 }),
    // With the timeouts of the functions: the pipe must not wait for ever for a response.
    events: new EventBridgeClient({
      ...clientSettings,
      ...common,
      endpoint: await between('events', endpoints.events),
    }),
    streams,
    eventBridge,
    pipes,
    start(definition) {
      const started = new LocalFunction(definition, functionEndpoints, logAndCount, concurrency);
      cleanUp.defer(() => started.stop());
      return started;
    },
    queueUrls: new Map(),
    secrets,
    functions,
    eventSources: [],
    schedules: [],
    api,
  };
}

/** The streams that the pipes read. */
function streamsOf({ pipes, streams }: ProvisioningContext) {
  return [...pipes.values()].map(({ properties }) => streams.find(properties.Source));
}

/** Announces the running stack to other commands. Only logs a warning if the checkout is not writable. */
function announce(
  port: number,
  running: Omit<Running, 'processId'>,
  cleanUp: AsyncDisposableStack,
  log: (line: string) => void,
): void {
  try {
    noteRunning(port, running);
    cleanUp.defer(() => noteStopped(port));
  } catch (error) {
    log(`Other commands cannot find this stack: ${reasonOf(error)}`);
  }
}
