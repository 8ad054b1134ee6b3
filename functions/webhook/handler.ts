import { Metrics } from '@aws-lambda-powertools/metrics';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import * as v from 'valibot';
import { clientSettings, withDeadline } from '../client-settings.ts';
import { List, readEnvironment } from '../environment.ts';
import { lazyLogger } from '../telemetry.ts';
import { createHandler } from './create-handler.ts';
import { traced } from './traced.ts';

const environment = readEnvironment({
  QUEUE_URL: v.string(),
  DEAD_LETTER_QUEUE_URL: v.string(),
  AUTHORIZATION_DIGESTS: List,
  SUB_ACCOUNT_IDS: List,
});
// SQS verifies the digest in the request's signature, so the SDK need not compare another one in the response.
const sqs = new SQSClient({ ...clientSettings, md5: false });

export const handler = createHandler({
  queueUrl: environment.QUEUE_URL,
  deadLetterQueueUrl: environment.DEAD_LETTER_QUEUE_URL,
  authorizationDigests: environment.AUTHORIZATION_DIGESTS,
  subAccountIds: environment.SUB_ACCOUNT_IDS,
  send: (queueUrl, message) =>
    withDeadline(
      sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, ...message, ...traced(process.env) })),
    ),
  logger: lazyLogger(),
  metrics: new Metrics({ namespace: 'VssWebhook' }),
});
