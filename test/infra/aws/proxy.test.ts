import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, it } from 'vitest';
import { missingStage, urlOf } from '../commands/deployed-stage.ts';
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
  ['doctor', ['infra/commands/doctor.ts', '--stage', 'prod'], 'cloudformation.us-east-1.amazonaws.com:443'],
  ['query', ['infra/commands/query.ts', 's3://bucket/x', 'errors'], 'bucket.s3.us-east-1.amazonaws.com:443'],
])(
  'npm run %s connects to AWS through HTTPS_PROXY, and prints the response of the proxy',
  async (_, args, host) => {
    await using proxy = await rejectingProxy();

    const { stderr } = await run(args, { env: { ...SHELL, HTTPS_PROXY: proxy.url } });

    expect(proxy.requests).toEqual([`CONNECT ${host}`]);
    expect(stderr).toContain('403 Forbidden');
  },
);

it('bypasses the proxy for requests to localhost, even with NODE_USE_ENV_PROXY', async () => {
  await using proxy = await rejectingProxy();
  await using missing = await missingStage();
  const proxies = { HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url, NODE_USE_ENV_PROXY: '1' };
  const env = { ...SHELL, ...missing.environment, ...proxies };

  const { stderr } = await run(['infra/commands/doctor.ts', '--stage', 'prod'], { env });
  const start = await run(['infra/commands/start.ts', '--once', '--port', '0'], { env });

  expect(stderr).toMatch(/^The stack vss-webhook-prod does not exist in us-east-1/);
  expect(start.code).toBe(0);
  expect(proxy.requests).toEqual([]);
});

it.each([
  [{ HTTPS_PROXY: 'proxy.example' }, 'HTTPS_PROXY: expected a URL such as http://proxy.example:3128.'],
  [{ AWS_CA_BUNDLE: '/nowhere.pem' }, 'Cannot read the file that AWS_CA_BUNDLE names: ENOENT'],
])('names the invalid variable in %j', async (env, message) => {
  const { stderr, code } = await run(['infra/commands/doctor.ts'], { env: { ...SHELL, ...env } });

  expect(stderr).toContain(message);
  expect(code).toBe(1);
});

it('does not print the password of a proxy', async () => {
  const { stderr } = await run(['infra/commands/doctor.ts'], {
    env: { ...SHELL, HTTPS_PROXY: 'http://user:s3cret@proxy example:3128' },
  });

  expect(stderr).toMatch(/^HTTPS_PROXY: expected a URL/);
  expect(stderr).not.toContain('s3cret');
});
