import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import { digestOf } from '../../functions/authorization/digest.ts';
import { ACCOUNT, REGION } from '../../infra/local/template.ts';
import { CREDENTIALS, startEmulators } from '../emulators.ts';
import { AUTHORIZATION } from './events.ts';

/** Starts emulated services for all contenders. `environment` has the variables that the contenders need. */
export async function startServices() {
  const { sqs, dynamodb, sqsEndpoint, dynamodbEndpoint, tableName, stop } = await startEmulators();
  await sqs.send(new CreateQueueCommand({ QueueName: 'bench' }));
  await dynamodb.send(
    new CreateTableCommand({
      TableName: 'idempotency',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    }),
  );
  const queueUrl = `${sqsEndpoint}/${ACCOUNT}/bench`;
  return {
    dynamodbEndpoint,
    /** The variables that a stack sets, those that Lambda sets, and the endpoints of AWS. */
    environment: {
      QUEUE_URL: queueUrl,
      DEAD_LETTER_QUEUE_URL: queueUrl,
      TABLE_NAME: tableName,
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
      AWS_ENDPOINT_URL_DYNAMODB: dynamodbEndpoint,
    },
    stop,
  };
}

export type Services = Awaited<ReturnType<typeof startServices>>;
