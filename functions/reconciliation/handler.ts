import { setTimeout } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import * as v from 'valibot';
import { clientSettings, withDeadline } from '../client-settings.ts';
import { List, readEnvironment } from '../environment.ts';
import { downloader } from '../log-export/download.ts';
import { logExport } from '../log-export/log-export.ts';
import { secretReader } from '../secrets.ts';
import { readApiKey } from '../voice-api/api-key.ts';
import { objects as objectsOf } from './bucket.ts';
import { dayStates } from './day-states.ts';
import { deadLetterSessions } from './dead-letter-sessions.ts';
import { acceptedDeliveries, queueAge } from './delivery-metrics.ts';
import { createHandler } from './invocation.ts';
import { recordedSessions } from './recorded-sessions.ts';
import { Mode } from './window.ts';

const environment = readEnvironment({
  LOG_EXPORT_URL: v.string(),
  API_KEY_SECRET_NAME: v.string(),
  SUB_ACCOUNT_IDS: List,
  TABLE_NAME: v.string(),
  BUCKET_NAME: v.string(),
  QUEUE_URL: v.string(),
  DEAD_LETTER_QUEUE_URL: v.string(),
  MODE: Mode,
  POWERTOOLS_SERVICE_NAME: v.string(),
  RETENTION_DAYS: v.optional(v.pipe(v.string(), v.transform(Number), v.integer())),
});
const { LOG_EXPORT_URL: baseUrl, API_KEY_SECRET_NAME: secretName, QUEUE_URL: queueUrl } = environment;

const readSecret = secretReader(new SecretsManagerClient(clientSettings));
const sqs = new SQSClient(clientSettings);
const cloudWatch = new CloudWatchClient(clientSettings);
// The day's rows are one object of up to some 100 MB, which takes longer than the other requests.
const s3 = new S3Client({
  ...clientSettings,
  requestHandler: { connectionTimeout: 1_000, socketTimeout: 60_000 },
});
const objects = objectsOf(s3, environment.BUCKET_NAME);

export const handler = createHandler({
  async connect() {
    const apiKey = readApiKey(secretName, await readSecret(secretName));
    return { logExport: logExport({ baseUrl, apiKey }), download: downloader({ baseUrl, apiKey }) };
  },
  subAccountIds: environment.SUB_ACCOUNT_IDS,
  mode: environment.MODE,
  states: dayStates(objects, Date.now),
  objects,
  retentionDays: environment.RETENTION_DAYS,
  lookUp: recordedSessions(new DynamoDBClient(clientSettings), environment.TABLE_NAME),
  deadLetterSessions: () => deadLetterSessions(sqs, environment.DEAD_LETTER_QUEUE_URL),
  queueAge: () => queueAge(cloudWatch, queueUrl, Date.now()),
  acceptedDeliveries: (from, to) =>
    acceptedDeliveries(cloudWatch, environment.POWERTOOLS_SERVICE_NAME, from, to),
  send: (message) => withDeadline(sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, ...message }))),
  pause: setTimeout,
  now: Date.now,
  logger: new Logger(),
  metrics: new Metrics({ namespace: 'VssWebhook' }),
});
