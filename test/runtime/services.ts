import {
  CreateQueueCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
} from '@aws-sdk/client-sqs';
import * as v from 'valibot';
import { readRecords, type StoredRecord } from '../../infra/local/examples.ts';
import { ACCOUNT } from '../../infra/local/template.ts';
import { startEmulators } from '../emulators.ts';
import { type FaultProxy, faultProxy } from '../faults/fault-proxy.ts';

/** The emulated services that the two functions call. Nothing polls the queue. */
export interface Services {
  sqs: FaultProxy;
  dynamodb: string;
  tableName: string;
  queueUrl: string;
  deadLetterQueueUrl: string;
  /** The trace header of each message sent so far. The emulator does not keep it. */
  traceHeaders: (string | undefined)[];
  /** Receives up to ten messages, and hides them for a second. Waits up to `waitSeconds` for the first one. */
  receive(queueUrl: string, waitSeconds?: number): Promise<Message[]>;
  remove(queueUrl: string, message: Message): Promise<void>;
  records(): Promise<StoredRecord[]>;
  stop(): Promise<void>;
}

/** The trace header of a SendMessage call. */
const Sent = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    MessageSystemAttributes: v.optional(v.object({ AWSTraceHeader: v.object({ StringValue: v.string() }) })),
  }),
);

export async function startServices(): Promise<Services> {
  const emulators = await startEmulators();
  const { sqs, dynamodb, tableName } = emulators;
  const traceHeaders: Services['traceHeaders'] = [];
  const proxy = await faultProxy(emulators.sqsEndpoint, ({ body }) => {
    traceHeaders.push(v.parse(Sent, body.toString()).MessageSystemAttributes?.AWSTraceHeader.StringValue);
    return undefined;
  });
  const createQueue = async (name: string) => {
    await sqs.send(new CreateQueueCommand({ QueueName: name }));
    return `${proxy.url}/${ACCOUNT}/${name}`;
  };

  return {
    sqs: proxy,
    dynamodb: emulators.dynamodbEndpoint,
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
      await proxy.close();
      await emulators.stop();
    },
  };
}
