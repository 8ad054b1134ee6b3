import { hash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import * as v from 'valibot';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { digestOf } from '../../../functions/authorization/digest.ts';
import type { createHandler } from '../../../functions/webhook/create-handler.ts';
import { summaryBody } from '../summaries.ts';

/** The function as it is wired: what it asks SQS for. The emulator does not know what a trace is. */

const Request = v.looseObject({ QueueUrl: v.string(), MessageBody: v.string() });
const requests: v.InferOutput<typeof Request>[] = [];
const sqs = createServer(async (request, response) => {
  const asked = v.parse(Request, await json(request));
  requests.push(asked);
  response.setHeader('Content-Type', 'application/x-amz-json-1.0');
  response.end(
    JSON.stringify({ MessageId: 'some', MD5OfMessageBody: hash('md5', asked.MessageBody, 'hex') }),
  );
});

let handle: ReturnType<typeof createHandler>;
beforeAll(async () => {
  sqs.listen(0, '127.0.0.1');
  await once(sqs, 'listening');
  const address = sqs.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  const environment = {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL_SQS: url,
    QUEUE_URL: `${url}/000000000000/queue`,
    DEAD_LETTER_QUEUE_URL: `${url}/000000000000/dead-letters`,
    AUTHORIZATION_DIGESTS: digestOf('value'),
    SUB_ACCOUNT_IDS: '8x8_test',
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  handle = (await import('../../../functions/webhook/handler.ts')).handler;
});
afterEach(() => vi.stubEnv('_X_AMZN_TRACE_ID', undefined));
afterAll(() => {
  vi.unstubAllEnvs();
  sqs.close().closeAllConnections();
});

const deliver = () =>
  handle({
    headers: { Authorization: 'value' },
    body: summaryBody(),
    isBase64Encoded: false,
    requestContext: { requestId: 'request', requestTimeEpoch: Date.now() },
  });

it('sends the delivery with the trace of its own invocation', async () => {
  for (const header of ['Root=1-a;Sampled=1', 'Root=1-b;Sampled=0']) {
    vi.stubEnv('_X_AMZN_TRACE_ID', header);

    expect(await deliver()).toMatchObject({ statusCode: 200 });
    expect(requests.at(-1)).toMatchObject({
      QueueUrl: expect.stringContaining('/queue'),
      MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: header } },
    });
  }
});

it('sends it without one where there is none', async () => {
  await deliver();

  expect(requests.at(-1)).not.toHaveProperty('MessageSystemAttributes');
});
