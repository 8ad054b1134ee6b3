import { hash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import * as v from 'valibot';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { digestOf } from '../../../functions/authorization/digest.ts';
import type { createHandler } from '../../../functions/webhook/create-handler.ts';
import { summaryBody } from '../summaries.ts';

/** The wiring of the function: its requests to SQS. The emulator ignores trace headers, so a server records them. */

const Request = v.looseObject({ QueueUrl: v.string(), MessageBody: v.string() });
const requests: v.InferOutput<typeof Request>[] = [];
const sqs = createServer(async (request, response) => {
  const sent = v.parse(Request, await json(request));
  requests.push(sent);
  response.setHeader('Content-Type', 'application/x-amz-json-1.0');
  response.end(JSON.stringify({ MessageId: 'some', MD5OfMessageBody: hash('md5', sent.MessageBody, 'hex') }));
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

it('sends each delivery with the trace header of its invocation', async () => {
  for (const header of ['Root=1-a;Sampled=1', 'Root=1-b;Sampled=0']) {
    vi.stubEnv('_X_AMZN_TRACE_ID', header);

    expect(await deliver()).toMatchObject({ statusCode: 200 });
    expect(requests.at(-1)).toMatchObject({
      QueueUrl: expect.stringContaining('/queue'),
      MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: header } },
    });
  }
});

it('sends a delivery without a trace header when the invocation has none', async () => {
  await deliver();

  expect(requests.at(-1)).not.toHaveProperty('MessageSystemAttributes');
});
