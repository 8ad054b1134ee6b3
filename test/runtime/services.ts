import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import dynalite from 'dynalite';
import { buildApp } from 'fauxqs';
import * as v from 'valibot';
import { readRecords, type StoredRecord } from '../../infra/local/examples.ts';
import { close, listenOnLoopback } from '../../infra/local/loopback.ts';
import { type FaultProxy, faultProxy } from '../faults/fault-proxy.ts';

/** The emulated services that the two functions call, without anything that polls the queue. */
export interface Services {
  sqs: FaultProxy;
  dynamodb: string;
  tableName: string;
  queueUrl: string;
  deadLetterQueueUrl: string;
  /** The trace header of each message sent so far, which the emulator does not keep. */
  traceHeaders: (string | undefined)[];
  /** What is in a queue, waiting up to some seconds for a first message; hides it for a second. */
  receive(queueUrl: string, waitSeconds?: number): Promise<Message[]>;
  remove(queueUrl: string, message: Message): Promise<void>;
  records(): Promise<StoredRecord[]>;
  stop(): Promise<void>;
}

/** What SendMessage says of a trace. */
const Sent = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    MessageSystemAttributes: v.optional(v.object({ AWSTraceHeader: v.object({ StringValue: v.string() }) })),
  }),
);

export async function startServices(): Promise<Services> {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const settings = { region: 'us-east-1', credentials };
  const queues = buildApp({ logger: false });
  const queuesUrl = await queues.listen({ port: 0, host: '127.0.0.1' });
  const traceHeaders: Services['traceHeaders'] = [];
  const proxy = await faultProxy(
    queuesUrl,
    () => undefined,
    (body) =>
      traceHeaders.push(v.parse(Sent, body.toString()).MessageSystemAttributes?.AWSTraceHeader.StringValue),
  );
  const sqs = new SQSClient({ ...settings, endpoint: queuesUrl, useQueueUrlAsEndpoint: false });
  const createQueue = async (name: string) => {
    await sqs.send(new CreateQueueCommand({ QueueName: name }));
    return `${proxy.url}/000000000000/${name}`;
  };

  const tables = dynalite({ createTableMs: 0 });
  const tablesUrl = await listenOnLoopback(tables, 0);
  const dynamodb = new DynamoDBClient({ ...settings, endpoint: tablesUrl });
  const tableName = 'sessions';
  await dynamodb.send(
    new CreateTableCommand({
      TableName: tableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'sessionId', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'sessionId', KeyType: 'HASH' }],
    }),
  );

  return {
    sqs: proxy,
    dynamodb: tablesUrl,
    tableName,
    queueUrl: await createQueue('queue'),
    deadLetterQueueUrl: await createQueue('dead-letters'),
    traceHeaders,
    async receive(queueUrl, waitSeconds = 0) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: queueUrl,
          MaxNumberOfMessages: 10,
          MessageAttributeNames: ['All'],
          MessageSystemAttributeNames: ['All'],
          VisibilityTimeout: 1,
          WaitTimeSeconds: waitSeconds,
        }),
      );
      return Messages;
    },
    async remove(queueUrl, { ReceiptHandle }) {
      await sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }));
    },
    records: () => readRecords({ dynamodb, tableName }),
    async stop() {
      sqs.destroy();
      dynamodb.destroy();
      await Promise.all([proxy.close(), queues.close(), close(tables)]);
    },
  };
}
