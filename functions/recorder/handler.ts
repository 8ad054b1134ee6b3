import { Metrics } from '@aws-lambda-powertools/metrics';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ChangeMessageVisibilityCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import * as v from 'valibot';
import { clientSettings, withDeadline } from '../client-settings.ts';
import { readEnvironment } from '../environment.ts';
import { lazyLogger } from '../telemetry.ts';
import { sessionEvent } from '../vss/session-event.ts';
import { createHandler } from './create-handler.ts';
import { sessionTable } from './session-table.ts';

const environment = readEnvironment({
  TABLE_NAME: v.string(),
  QUEUE_URL: v.string(),
  DEAD_LETTER_QUEUE_URL: v.string(),
  RETENTION_DAYS: v.optional(v.pipe(v.string(), v.transform(Number), v.integer())),
  SESSION_EVENTS: v.optional(v.picklist(['without-phone-numbers', 'with-phone-numbers'])),
});
const phoneNumbers = environment.SESSION_EVENTS === 'with-phone-numbers';
const sqs = new SQSClient(clientSettings);

export const handler = createHandler({
  table: sessionTable(new DynamoDBClient(clientSettings), environment.TABLE_NAME, environment.RETENTION_DAYS),
  ...(environment.SESSION_EVENTS !== undefined && {
    eventOf: (before, after) => sessionEvent(before, after, { phoneNumbers }),
  }),
  sendToDeadLetters: (message) =>
    withDeadline(
      sqs.send(new SendMessageCommand({ QueueUrl: environment.DEAD_LETTER_QUEUE_URL, ...message })),
    ),
  changeVisibility: ({ receiptHandle }, seconds) =>
    withDeadline(
      sqs.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: environment.QUEUE_URL,
          ReceiptHandle: receiptHandle,
          VisibilityTimeout: seconds,
        }),
      ),
    ),
  now: Date.now,
  logger: lazyLogger(),
  metrics: new Metrics({ namespace: 'VssWebhook' }),
});
