import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { allowedAddresses, apiGateway } from '../../../infra/local/api-gateway.ts';

/** Sends a request to an API whose only function always fails, and returns the answer. */
async function answerOf(allowed: string[], path = '/stage/path', body?: string) {
  const log: string[] = [];
  const target = {
    invoke: () => Promise.reject(new Error('failed')),
  };
  const server = apiGateway(
    {
      stageName: 'stage',
      binary: true,
      allowed: allowedAddresses(allowed),
      responses: new Map([
        ['ACCESS_DENIED', { status: 403, headers: { 'X-Type': 'denied' }, template: '"$context.requestId"' }],
        ['REQUEST_TOO_LARGE', { status: 413, headers: { 'X-Type': 'too-large' }, template: '{}' }],
        ['DEFAULT_5XX', { headers: { 'X-Type': 'failed' }, template: '{}' }],
      ]),
      methods: ['GET', 'POST'].map((method) => ({ method, path: '/path', target })),
    },
    (line) => log.push(line),
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}${path}`;
  const { status, headers, text } = await fetch(url, body === undefined ? {} : { method: 'POST', body }).then(
    async (response) => ({
      status: response.status,
      headers: response.headers,
      text: await response.text(),
    }),
  );
  server.close().closeAllConnections();
  return { status, type: headers.get('X-Type'), text, log };
}

describe('apiGateway', () => {
  it.each([[['127.0.0.1']], [['10.0.0.0/8', '127.0.0.0/8']], [['0.0.0.0/0', '::/0']]])(
    'accepts a request if the resource policy allows %j',
    async (allowed) => {
      expect(await answerOf(allowed)).toMatchObject({ status: 502, type: 'failed' });
    },
  );

  it.each([[['127.0.0.2']], [['18.140.80.2/32']], [['::1']], [[]]])(
    'rejects a request if the resource policy allows only %j',
    async (allowed) => {
      expect(await answerOf(allowed)).toMatchObject({
        status: 403,
        type: 'denied',
        text: expect.stringMatching(/^"[0-9a-f-]{36}"$/),
      });
    },
  );

  it.each([
    [4_000_000, 502],
    [5_000_000, 413],
    [10_500_000, 413],
  ])(
    'applies the size limits of Lambda and API Gateway: answers a body of %i bytes with %i',
    async (bytes, status) => {
      expect(await answerOf(['127.0.0.1'], '/stage/path', 'x'.repeat(bytes))).toMatchObject({ status });
    },
  );

  it('logs why it answers 502', async () => {
    expect((await answerOf(['127.0.0.1'])).log).toEqual(['API Gateway answers 502: failed']);
  });
});
