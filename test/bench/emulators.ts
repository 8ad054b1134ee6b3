import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import dynalite from 'dynalite';
import { buildApp } from 'fauxqs';
import { digestOf } from '../../functions/authorization/digest.ts';
import { close, listenOnLoopback } from '../../infra/local/loopback.ts';
import { AUTHORIZATION } from './events.ts';

const REGION = 'us-east-1';
const CREDENTIALS = { accessKeyId: 'bench', secretAccessKey: 'bench' };

/** Emulators of SQS and DynamoDB, with a queue and the tables of all contenders. */
export async function startEmulators() {
  const queues = buildApp({ logger: false });
  const sqsEndpoint = await queues.listen({ port: 0, host: '127.0.0.1' });
  const tables = dynalite({ createTableMs: 0 });
  const dynamoDbEndpoint = await listenOnLoopback(tables, 0);

  const sqs = new SQSClient({ endpoint: sqsEndpoint, region: REGION, credentials: CREDENTIALS });
  await sqs.send(new CreateQueueCommand({ QueueName: 'bench' }));
  const dynamodb = new DynamoDBClient({
    endpoint: dynamoDbEndpoint,
    region: REGION,
    credentials: CREDENTIALS,
  });
  const keys = { sessions: 'sessionId', idempotency: 'id' };
  for (const [TableName, AttributeName] of Object.entries(keys))
    await dynamodb.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName, AttributeType: 'S' }],
        KeySchema: [{ AttributeName, KeyType: 'HASH' }],
      }),
    );
  const queueUrl = `${sqsEndpoint}/000000000000/bench`;
  return {
    dynamoDbEndpoint,
    /** What the contenders find in their environment: what a stack sets, what Lambda sets, and where AWS is. */
    environment: {
      QUEUE_URL: queueUrl,
      DEAD_LETTER_QUEUE_URL: queueUrl,
      TABLE_NAME: 'sessions',
      IDEMPOTENCY_TABLE_NAME: 'idempotency',
      AUTHORIZATION,
      AUTHORIZATION_DIGESTS: digestOf(AUTHORIZATION),
      SUB_ACCOUNT_IDS: '8x8_test',
      POWERTOOLS_SERVICE_NAME: 'bench',
      AWS_REGION: REGION,
      AWS_LAMBDA_FUNCTION_NAME: 'bench',
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      AWS_ENDPOINT_URL_SQS: sqsEndpoint,
      AWS_ENDPOINT_URL_DYNAMODB: dynamoDbEndpoint,
    },
    async stop() {
      sqs.destroy();
      dynamodb.destroy();
      await queues.close();
      await close(tables);
    },
  };
}

export type Emulators = Awaited<ReturnType<typeof startEmulators>>;
