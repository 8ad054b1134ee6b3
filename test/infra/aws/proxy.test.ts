import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, it } from 'vitest';
import { useProxy } from '../../../infra/aws/proxy.ts';
import { missingStage, urlOf } from '../commands/deployed-stage.ts';
import { vssWebhook } from '../commands/vss-webhook.ts';
import { run } from '../run.ts';

/** Behind a proxy, requests to AWS go through the proxy, and requests to localhost bypass it. */

/** A proxy that rejects every request and records its method and URL. */
async function rejectingProxy() {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    response.writeHead(403).end();
  });
  server.on('connect', (request, socket) => {
    requests.push(`${request.method} ${request.url}`);
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { url: urlOf(server), requests, [Symbol.asyncDispose]: async () => void server.close() };
}

const SHELL = {
  ...process.env,
  NO_PROXY: '',
  no_proxy: '',
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_MAX_ATTEMPTS: '1',
};

it.each([
  ['doctor', ['doctor', '--stage', 'prod'], 'cloudformation.us-east-1.amazonaws.com:443'],
  ['query', ['query', 's3://bucket/x', 'errors'], 'bucket.s3.us-east-1.amazonaws.com:443'],
])('%s connects to AWS through HTTPS_PROXY, and prints the response of the proxy', async (_, args, host) => {
  await using proxy = await rejectingProxy();

  const { stderr } = await vssWebhook(args, { env: { ...SHELL, HTTPS_PROXY: proxy.url } });

  expect(proxy.requests).toEqual([`CONNECT ${host}`]);
  expect(stderr).toContain('403 Forbidden');
});

/** Runs a command in a process of its own, because these settings are those of a process. */
const runDoctor = (env: NodeJS.ProcessEnv) =>
  run(['infra/vss-webhook.js', 'doctor', '--stage', 'prod'], { env: { ...SHELL, ...env } });

it('bypasses the proxy for requests to localhost, even with NODE_USE_ENV_PROXY', async () => {
  await using proxy = await rejectingProxy();
  await using missing = await missingStage();
  const proxies = { HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url, NODE_USE_ENV_PROXY: '1' };

  const { stderr } = await runDoctor({ ...missing.environment, ...SHELL, ...proxies });

  expect(stderr).toMatch(/^The stack vss-webhook-prod does not exist in us-east-1/);
  expect(proxy.requests).toEqual([]);
});

it('names an invalid variable, and not the password in it', async () => {
  const { stdout, stderr, code } = await runDoctor({ HTTPS_PROXY: 'http://user:s3cret@proxy example:3128' });

  expect([stdout, code]).toEqual(['', 1]);
  expect(stderr).toBe('HTTPS_PROXY: expected a URL such as http://proxy.example:3128.\n');
});

it.each([
  [{ HTTPS_PROXY: 'proxy.example' }, 'HTTPS_PROXY: expected a URL such as http://proxy.example:3128.'],
  [{ AWS_CA_BUNDLE: '/nowhere.pem' }, 'Cannot read the file that AWS_CA_BUNDLE names: ENOENT'],
])('rejects %j', (env, message) => {
  expect(() => useProxy({ ...env })).toThrow(message);
});
