import { randomUUID } from 'node:crypto';
import { CreateTableCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { CreateQueueCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { toItem } from '../../functions/recorder/item.ts';
import { newRecord, receivedSummary } from '../../functions/vss/record.ts';
import type { LocalStack } from '../../infra/local/local-stack.ts';
import { ACCOUNT } from '../../infra/local/template.ts';
import { tableDefinition } from '../functions/recorder/table-definition.ts';
import { summaryOf } from '../functions/summaries.ts';
import { newBody } from './events.ts';

const NAME = 'ceiling';
const MILLISECONDS = 5_000;
const CONCURRENCY = 16;

/** The maximum throughput of the emulators, per second, without other load. */
export interface Ceiling {
  sends: number;
  puts: number;
  /** Sessions with one SendMessage and one PutItem each, computed from both rates. */
  both: number;
}

/** Returns a function that measures the emulators of a stack, with a separate queue and table. */
export async function ceilingOf({ sqs, dynamodb, endpoints }: LocalStack): Promise<() => Promise<Ceiling>> {
  await sqs.send(new CreateQueueCommand({ QueueName: NAME }));
  await dynamodb.send(new CreateTableCommand({ TableName: NAME, ...tableDefinition }));
  const QueueUrl = `${endpoints.sqs}/${ACCOUNT}/${NAME}`;
  const body = newBody();
  const item = toItem(newRecord(receivedSummary(summaryOf(body), new Date().toISOString())));
  return async () => {
    const sends = await perSecond(() => sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: body })));
    const puts = await perSecond(() =>
      dynamodb.send(
        new PutItemCommand({ TableName: NAME, Item: { ...item, sessionId: { S: randomUUID() } } }),
      ),
    );
    return { sends, puts, both: 1 / (1 / sends + 1 / puts) };
  };
}

async function perSecond(call: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  let calls = 0;
  const loop = async () => {
    for (; performance.now() - began < MILLISECONDS; calls++) await call();
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, loop));
  return (calls * 1_000) / (performance.now() - began);
}
