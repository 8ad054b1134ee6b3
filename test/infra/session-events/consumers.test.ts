import { readFileSync } from 'node:fs';
import { SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toMessage } from '../../../functions/queue/message.ts';
import { deliver } from '../../../infra/local/examples.ts';
import type { LocalStack } from '../../../infra/local/local-stack.ts';
import { REGION, Template } from '../../../infra/local/template.ts';
import { summaryBody } from '../../functions/summaries.ts';
import { queueDepth } from '../../queue-depth.ts';
import { startStack } from '../../start-stack.ts';

/** The templates in the README work: deployed on the local stack, they select the sessions that the README says. */

const readme = readFileSync(new URL('../../../infra/session-events/README.md', import.meta.url), 'utf8');
const DELAY_SECONDS = 300;
const templates = [...readme.matchAll(/```json\n(.*?)```/gs)]
  .map(([, json = '']) => json.replaceAll('vss-webhook-prod-', 'vss-webhook-local-'))
  .filter((json) => json.includes('"Resources"'))
  // The test does not wait for the delay.
  .map((json) => json.replace(`"DelaySeconds": ${DELAY_SECONDS}`, '"DelaySeconds": 1'))
  .map((json) => v.parse(Template, JSON.parse(json)));

let stack: LocalStack;
let retriesUrl = '';
beforeAll(async () => {
  const consumers = {
    Resources: Object.assign({}, ...templates.map(({ Resources }) => Resources)),
    Outputs: Object.assign({}, ...templates.map(({ Outputs }) => Outputs)),
  };
  stack = await startStack({ consumers });
  retriesUrl = stack.consumerOutputs.get('RetriesUrl') ?? '';
});
afterAll(() => stack.stop());

/** Delivers summaries one after the other, and waits until their events are published. */
async function publish(...payloads: object[]): Promise<void> {
  for (const payload of payloads) await deliver(stack, summaryBody({ ...payload }));
  await published();
}

async function published(): Promise<void> {
  await expect.poll(() => queueDepth(stack.sqs, stack.queueUrl)).toBe(0);
  await stack.eventsPublished();
}

async function receive(QueueUrl: string, VisibilityTimeout = 60): Promise<Message[]> {
  const { Messages = [] } = await stack.sqs.send(
    new ReceiveMessageCommand({
      QueueUrl,
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: 2,
      VisibilityTimeout,
      MessageSystemAttributeNames: ['All'],
    }),
  );
  return Messages;
}

const Event = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({ detail: v.looseObject({ sessionId: v.string() }) }),
);
const sessionOf = ({ Body }: Message) => v.parse(Event, Body).detail.sessionId;

const tooManyCalls = { errorCode: -2010, errorMsg: 'The trunk capacity has been exceeded' };
const noCoverage = { errorCode: -2004, errorMsg: 'No coverage available for requested area' };

describe('the queue of retries', () => {
  it('delays messages by the time that the README says, which SQS allows', () => {
    expect(readme).toContain(`"DelaySeconds": ${DELAY_SECONDS},`);
    expect(readme).toContain('five minutes after the event (`DelaySeconds`, at most 900)');
    expect(DELAY_SECONDS).toBe(5 * 60);
  });

  it('has each session whose retry can help once, up to the last attempt', async () => {
    const failed = { sessionStatus: 'ERROR', errorDetails: tooManyCalls };
    await publish(
      { sessionId: 'first', ...failed, clientRequestId: 'order-1' },
      { sessionId: 'second', ...failed, clientRequestId: 'order-2/2' },
      { sessionId: 'last', ...failed, clientRequestId: 'order-3/3' },
      { sessionId: 'hopeless', sessionStatus: 'ERROR', errorDetails: noCoverage },
      { sessionId: 'successful' },
      { sessionId: 'busy', sessionStatus: 'BUSY' },
      { sessionId: 'canceled', sessionStatus: 'CANCELED' },
      { sessionId: 'corrected', sessionStatus: 'BUSY', endTime: '2026-01-13T08:27:40Z' },
      { sessionId: 'corrected', sessionStatus: 'FAILED', endTime: '2026-01-13T08:27:50Z' },
    );
    const delivery = {
      body: summaryBody({ sessionId: 'reconstructed', sessionStatus: 'BUSY' }),
      receivedAt: new Date().toISOString(),
      requestId: 'reconciliation',
      reconstructedFrom: 'log-export',
    };
    await stack.sqs.send(new SendMessageCommand({ QueueUrl: stack.queueUrl, ...toMessage(delivery) }));
    await published();

    const found: Message[] = [];
    await expect
      .poll(async () => {
        found.push(...(await receive(retriesUrl)));
        return found.map(sessionOf).toSorted();
      })
      .toEqual(['busy', 'corrected', 'first', 'second']);
    expect(await receive(retriesUrl)).toEqual([]);
    for (const { Attributes = {} } of found) {
      const waited =
        Number(Attributes['ApproximateFirstReceiveTimestamp']) - Number(Attributes['SentTimestamp']);
      expect(waited).toBeGreaterThanOrEqual(1_000);
    }
  });

  it('gives up a message that a job has received five times', async () => {
    await publish({ sessionId: 'stuck', sessionStatus: 'BUSY' });
    let receives = 0;
    await expect
      .poll(async () => {
        const stuck = (await receive(retriesUrl, 0)).filter((message) => sessionOf(message) === 'stuck');
        receives += stuck.length;
        return queueDepthOf('FailedRetries');
      })
      .toBe(1);

    expect(receives).toBe(5);
  });
});

async function queueDepthOf(name: string): Promise<number> {
  const { Attributes = {} } = await stack.sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl: retriesUrl.replace(/[^-]+$/, name),
      AttributeNames: ['ApproximateNumberOfMessages'],
    }),
  );
  return Number(Attributes['ApproximateNumberOfMessages']);
}

describe('the alert', () => {
  it('is sent for opt-out errors only', async () => {
    const settings = { region: REGION, credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
    const sns = new SNSClient({ ...settings, endpoint: stack.endpoints.sns });
    const { QueueUrl = '' } = await stack.sqs.send(new CreateQueueCommand({ QueueName: 'inbox' }));
    const { Attributes } = await stack.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
    );
    await sns.send(
      new SubscribeCommand({
        TopicArn: stack.consumerOutputs.get('AlertsArn'),
        Protocol: 'sqs',
        Endpoint: Attributes?.['QueueArn'],
        Attributes: { RawMessageDelivery: 'true' },
      }),
    );

    await publish(
      { sessionId: 'opted-out', sessionStatus: 'COMPLETED_UNSUBSCRIBED' },
      { sessionId: 'opt-out-error', sessionStatus: 'COMPLETED_UNSUB_ERROR' },
      { sessionId: 'other', sessionStatus: 'ERROR' },
    );

    const found: Message[] = [];
    await expect
      .poll(async () => {
        found.push(...(await receive(QueueUrl)));
        return found.map(sessionOf);
      })
      .toEqual(['opt-out-error']);
    expect(await receive(QueueUrl)).toEqual([]);
  });
});
