import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { createHandler } from '../../../functions/registration/create-handler.ts';
import { Fake8x8 } from '../../../infra/local/fake-8x8/fake-8x8.ts';
import { fake8x8Server } from '../../../infra/local/fake-8x8/server.ts';
import { secretsManager } from '../../../infra/local/secrets-manager.ts';
import { create, PHYSICAL_ID, properties, URL_OF_OURS, update } from './cloudformation.ts';
import { API_KEY } from './in-memory-8x8.ts';

/** The wiring of the function, over HTTP: secrets from Secrets Manager, 8x8, the stack status from CloudFormation. */

const secrets = new Map([
  ['some/api-key', `${API_KEY}\n`],
  ['arn:authorization', 'some value'],
]);
const fake8x8 = new Fake8x8(API_KEY, ['some_account']);
let stackStatus: string;
let webhooksApiUrl: string;
const cloudFormation = createServer((_, response) =>
  response.end(
    `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks><member><StackName>some</StackName><StackStatus>${stackStatus}</StackStatus></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`,
  ),
);
const servers = [secretsManager(secrets), fake8x8Server(fake8x8), cloudFormation];

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
}

let handle: ReturnType<typeof createHandler>;
beforeAll(async () => {
  const [secretsUrl, fake8x8Url, cloudFormationUrl] = await Promise.all(servers.map(listen));
  webhooksApiUrl = fake8x8Url ?? '';
  const environment = {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsUrl,
    AWS_ENDPOINT_URL_CLOUDFORMATION: cloudFormationUrl,
    WEBHOOKS_API_URL: webhooksApiUrl,
    API_KEY_SECRET_NAME: 'some/api-key',
    SUB_ACCOUNT_IDS: 'some_account',
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  handle = (await import('../../../functions/registration/handler.ts')).handler;
});
afterAll(() => {
  vi.unstubAllEnvs();
  for (const server of servers) server.close().closeAllConnections();
});
beforeEach(() => {
  fake8x8.webhooks.set('some_account', []);
  stackStatus = 'UPDATE_IN_PROGRESS';
});

const propertiesWithSecret = () =>
  properties(1, { authorizationSecretArn: 'arn:authorization', webhooksApiUrl });
const creation = () => create(propertiesWithSecret());
const change = () => update(properties(), propertiesWithSecret());

it('registers with the API key and the Authorization value from Secrets Manager', async () => {
  await handle(creation());

  expect(fake8x8.webhooks.get('some_account')).toEqual([
    { type: 'VSS', url: URL_OF_OURS, enabled: true, httpAuthHeader: 'some value' },
  ]);
});

it('retries when the connection breaks', async () => {
  fake8x8.switches.faults = ['none', 'dropped-after', 'dropped-before'];
  await handle(creation());

  expect(fake8x8.webhooks.get('some_account')).toHaveLength(1);
});

it('fails because of a foreign webhook, but not when CloudFormation reports a rollback', async () => {
  const foreign = { type: 'VSS', url: 'https://elsewhere.example', enabled: true, httpAuthHeader: null };
  fake8x8.webhooks.set('some_account', [foreign]);

  await expect(handle(change())).rejects.toThrow('takeOver');
  stackStatus = 'UPDATE_ROLLBACK_IN_PROGRESS';
  await expect(handle(change())).resolves.toEqual({ PhysicalResourceId: PHYSICAL_ID });
  expect(fake8x8.webhooks.get('some_account')).toEqual([foreign]);
});
