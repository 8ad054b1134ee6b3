import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { buildApp } from 'fauxqs';
import { REGION } from '../infra/local/template.ts';
import { startDynalite } from './functions/recorder/dynalite.ts';
import { tableDefinition } from './functions/recorder/table-definition.ts';

export const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };

/** Starts emulators of SQS and DynamoDB in this process, with a client for each and an empty table `sessions`. */
export async function startEmulators() {
  const settings = { region: REGION, credentials: CREDENTIALS };
  const queues = buildApp({ logger: false });
  const sqsEndpoint = await queues.listen({ port: 0, host: '127.0.0.1' });
  const sqs = new SQSClient({ ...settings, endpoint: sqsEndpoint, useQueueUrlAsEndpoint: false });
  const tables = await startDynalite();
  const dynamodb = new DynamoDBClient({ ...settings, endpoint: tables.endpoint });
  const tableName = 'sessions';
  await dynamodb.send(new CreateTableCommand({ TableName: tableName, ...tableDefinition }));
  return {
    sqs,
    sqsEndpoint,
    dynamodb,
    dynamodbEndpoint: tables.endpoint,
    tableName,
    async stop() {
      sqs.destroy();
      dynamodb.destroy();
      await Promise.all([queues.close(), tables.stop()]);
    },
  };
}
