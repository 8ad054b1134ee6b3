import { createServer, type RequestListener, type Server } from 'node:http';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, expect, it } from 'vitest';
import { digestOf } from '../../../functions/authorization/digest.ts';
import { clientSettings, deadline } from '../../../functions/client-settings.ts';
import { createHandler } from '../../../functions/webhook/create-handler.ts';
import { summaryBody } from '../summaries.ts';
import { telemetry } from '../telemetry.ts';

/**
 * Whatever SQS does, the webhook answers 503 before Lambda's ten seconds are over: a function that runs into its
 * timeout would leave 8x8 with an answer of API Gateway's, and us with no log line.
 */
const FUNCTION_TIMEOUT_MS = 10_000;

let server: Server;
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function deliverTo(sqs: RequestListener) {
  let attempts = 0;
  server = createServer((request, response) => {
    attempts++;
    sqs(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const client = new SQSClient({
    ...clientSettings,
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const handle = createHandler({
    queueUrl: `http://127.0.0.1:${port}/000000000000/queue`,
    deadLetterQueueUrl: `http://127.0.0.1:${port}/000000000000/dead-letters`,
    authorizationDigests: [digestOf('value')],
    subAccountIds: ['8x8_test'],
    send: (QueueUrl, message) => client.send(new SendMessageCommand({ QueueUrl, ...message }), deadline()),
    ...telemetry(),
  });
  const started = performance.now();
  const { statusCode } = await handle({
    headers: { Authorization: 'value' },
    body: summaryBody(),
    isBase64Encoded: false,
    requestContext: { requestId: 'request', requestTimeEpoch: Date.now() },
  });
  return { statusCode, attempts, milliseconds: performance.now() - started };
}

it('answers 503 in time when SQS accepts connections and then says nothing', async () => {
  const { statusCode, attempts, milliseconds } = await deliverTo(() => {});

  expect(statusCode).toBe(503);
  expect(attempts).toBe(3);
  expect(milliseconds).toBeLessThan(FUNCTION_TIMEOUT_MS - 2_000);
});

it('answers 503 in time when SQS begins an answer and then says nothing', async () => {
  const { statusCode, milliseconds } = await deliverTo((_, response) =>
    response.writeHead(200, { 'Content-Type': 'application/x-amz-json-1.0' }).write('{"Message'),
  );

  expect(statusCode).toBe(503);
  expect(milliseconds).toBeLessThan(FUNCTION_TIMEOUT_MS - 500);
});

it('answers 503 in time when SQS fails and asks for a long pause', async () => {
  const { statusCode, milliseconds } = await deliverTo((_, response) =>
    response.writeHead(503, { 'Retry-After': '60' }).end(),
  );

  expect(statusCode).toBe(503);
  expect(milliseconds).toBeLessThan(FUNCTION_TIMEOUT_MS - 500);
});

it('answers 503 when SQS fails', async () => {
  const { statusCode, attempts } = await deliverTo((_, response) => response.writeHead(500).end());

  expect(statusCode).toBe(503);
  expect(attempts).toBe(3);
});

it('answers 503 when SQS refuses', async () => {
  const { statusCode } = await deliverTo((_, response) =>
    response
      .writeHead(400, { 'Content-Type': 'application/x-amz-json-1.0' })
      .end(JSON.stringify({ __type: 'com.amazonaws.sqs#QueueDoesNotExist', message: 'no queue' })),
  );

  expect(statusCode).toBe(503);
});

it('answers 503 when connections to SQS are cut', async () => {
  const { statusCode, attempts } = await deliverTo((request) => request.socket.destroy());

  expect(statusCode).toBe(503);
  expect(attempts).toBe(3);
});
