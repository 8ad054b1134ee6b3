import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { SNSClient, SubscribeCommand, UnsubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { ResponseType } from 'aws-cdk-lib/aws-apigateway';
import * as v from 'valibot';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { toMessage } from '../../../functions/queue/message.ts';
import { GATEWAY_RESPONSES, problemDocument } from '../../../infra/constructs/gateway-responses.ts';
import { readRecords } from '../../../infra/local/examples.ts';
import type { LocalStack } from '../../../infra/local/local-stack.ts';
import { type Call, type Fault, type FaultProxy, faultProxy } from '../../faults/fault-proxy.ts';
import { summaryBody } from '../../functions/summaries.ts';
import { queueDepth } from '../../queue-depth.ts';
import { startStack } from '../../start-stack.ts';
import { type Answers, analyticsStubs } from './analytics-stubs.ts';
import { deployedStage, urlOf } from './deployed-stage.ts';
import { vssWebhook } from './vss-webhook.ts';

/** Runs `npx vss-webhook smoke` on a running local stack, and on the same stack found like a deployed one. */

let stack: LocalStack;
let stage: string;
/** Injects a fault into the recorder's calls to DynamoDB, or rewrites their bodies. */
let faultOf: (call: Call) => Fault | undefined;
let rewritten: (call: Call) => Buffer | undefined;
/** Serves the metrics of the local stack under the name of the stage `prod`. */
let metrics: FaultProxy;
const cleanUp: (() => Promise<void>)[] = [];
beforeAll(async () => {
  stack = await startStack({
    async between(service, endpoint) {
      if (service !== 'dynamodb') return endpoint;
      const proxy = await faultProxy(
        endpoint,
        (call) => faultOf(call),
        (call) => rewritten(call),
      );
      cleanUp.push(proxy.close);
      return proxy.url;
    },
  });
  stage = `local:${new URL(stack.webhookUrl).port}`;
  metrics = await faultProxy(
    stack.endpoints.cloudwatch,
    () => undefined,
    ({ body }) => Buffer.from(body.toString().replaceAll('vss-webhook-prod', 'vss-webhook-local')),
  );
  cleanUp.push(metrics.close);
});
afterAll(async () => {
  await stack.stop();
  for (const close of cleanUp) await close();
});
beforeEach(async () => {
  faultOf = () => undefined;
  rewritten = () => undefined;
  for (const QueueUrl of [stack.queueUrl, stack.deadLetterQueueUrl])
    await stack.sqs.send(new PurgeQueueCommand({ QueueUrl }));
});

const smoke = (...args: string[]) => vssWebhook(['smoke', '--stage', stage, ...args]);

interface Deployed {
  /** Endpoints that replace those of the local stack. */
  others?: NodeJS.ProcessEnv;
  outputs?: Partial<LocalStack['outputs']>;
}

/** The stage `prod` with this webhook URL, which is registered at 8x8; otherwise the local stack. */
function deployed(webhookUrl: string, { others, outputs }: Deployed = {}) {
  registerAt8x8(webhookUrl);
  return deployedStage(
    { ...stack, outputs: { ...stack.outputs, WebhookUrl: webhookUrl, ...outputs } },
    { AWS_ENDPOINT_URL_CLOUDWATCH: metrics.url, ...others },
  );
}

/** Changes the URL that is registered at 8x8 for these sub-accounts, until the test ends. */
function registerAt8x8(url: string, subAccountIds = [...stack.fake8x8.webhooks.keys()]): void {
  for (const id of subAccountIds) {
    const before = stack.fake8x8.webhooks.get(id) ?? [];
    stack.fake8x8.webhooks.set(
      id,
      before.map((webhook) => ({ ...webhook, url })),
    );
    onTestFinished(() => void stack.fake8x8.webhooks.set(id, before));
  }
}

async function smokeDeployed(
  webhookUrl: string,
  { args = [], interrupted, ...rest }: Deployed & { args?: string[]; interrupted?: AbortSignal } = {},
) {
  await using prod = await deployed(webhookUrl, rest);
  return await vssWebhook(['smoke', '--stage', 'prod', ...args], { env: prod.environment, interrupted });
}

/** The status and step of each line after the heading, such as `ok delivery`. */
const statuses = (stdout: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .slice(2)
    .map((line) => `${line.slice(0, 5).trim()} ${line.slice(7, 19).trim()}`);

const left = async () => ({
  records: (await readRecords(stack)).length,
  queue: await queueDepth(stack.sqs, stack.queueUrl),
  deadLetters: await queueDepth(stack.sqs, stack.deadLetterQueueUrl),
});

const NOTHING = { records: 0, queue: 0, deadLetters: 0 };

/** Serves every request with this answer until the test ends. Returns its URL. */
async function answering(answer: (body: string) => Promise<{ status: number; body: string }>) {
  const server = createServer(async (request, response) => {
    const { status, body } = await answer(await text(request));
    response.writeHead(status).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return urlOf(server);
}

/** Adds a dead letter that is not of the smoke test. Returns its body. */
async function otherDeadLetter(): Promise<string> {
  const body = summaryBody({ sessionId: 'another' });
  const delivery = { body, receivedAt: new Date().toISOString(), requestId: 'another' };
  const message = toMessage(delivery, { reason: 'unknown-subaccount' });
  await stack.sqs.send(new SendMessageCommand({ QueueUrl: stack.deadLetterQueueUrl, ...message }));
  return body;
}

describe('smoke on a healthy stage', () => {
  it('passes every step and leaves nothing behind', async () => {
    const { stdout, stderr, code } = await smoke();

    expect([statuses(stdout), stderr]).toEqual([
      [
        'ok registration',
        'ok delivery',
        'ok record',
        'ok duplicate',
        'ok dead letter',
        'ok redrive',
        'note alarm topic',
        'ok alarm topic',
        'ok clean-up',
      ],
      '',
    ]);
    expect(stdout).toMatch(/^ok {5}clean-up {6}removed: 2 session records$/m);
    expect(stdout).toMatch(/^note {3}alarm topic {3}alarms notify nobody: set alarmEmail/m);
    expect(code).toBe(0);
    expect(await left()).toEqual(NOTHING);
  });

  it('keeps other dead letters, and makes them visible again immediately', async () => {
    const body = await otherDeadLetter();

    const { code } = await smoke();

    expect(code).toBe(0);
    const { Messages = [] } = await stack.sqs.send(
      new ReceiveMessageCommand({ QueueUrl: stack.deadLetterQueueUrl, MaxNumberOfMessages: 10 }),
    );
    expect(Messages.map(({ Body }) => Body)).toEqual([body]);
  });

  it('notifies and counts the subscribers of the alarm topic', async () => {
    const { sns: endpoint } = stack.endpoints;
    const sns = new SNSClient({
      endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    await stack.sqs.send(new CreateQueueCommand({ QueueName: 'on-call' }));
    const QueueUrl = new URL('/000000000000/on-call', stack.endpoints.sqs).href;
    const { Attributes } = await stack.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
    );
    const { SubscriptionArn } = await sns.send(
      new SubscribeCommand({
        TopicArn: stack.outputs.AlarmTopicArn,
        Protocol: 'sqs',
        Endpoint: Attributes?.['QueueArn'],
        ReturnSubscriptionArn: true,
      }),
    );

    const { stdout } = await smoke();
    await sns.send(new UnsubscribeCommand({ SubscriptionArn }));

    expect(stdout).toMatch(/^ok {5}alarm topic {3}published a test message; confirmed subscriptions: 1$/m);
    expect(statuses(stdout)).not.toContain('note alarm topic');
    const { Messages = [] } = await stack.sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    expect(Messages[0]?.Body).toContain('Test message of vss-webhook-local');
  });
});

describe('the step registration', () => {
  it('fails if 8x8 delivers the summaries of a sub-account elsewhere, although all other steps pass', async () => {
    registerAt8x8('https://elsewhere.example/hook', ['wavecell_voice']);

    const { stdout, code } = await smoke();

    expect(stdout).toMatch(
      /^FAIL {3}registration {2}wavecell_voice: elsewhere\. 8x8 delivers to https:\/\/elsewhere\.example\/\*\*\*; expected https:/m,
    );
    expect(statuses(stdout).filter((line) => /^(FAIL|skip)/.test(line))).toEqual(['FAIL registration']);
    expect(code).toBe(1);
  });

  it('does not wait for 8x8 after an interruption', async () => {
    const interruption = new AbortController();
    const url = await answering(() => {
      interruption.abort();
      return new Promise(() => {});
    });

    const { stdout } = await smokeDeployed(stack.webhookUrl, {
      others: { AWS_ENDPOINT_URL_LAMBDA: url },
      interrupted: interruption.signal,
    });

    expect(statuses(stdout).slice(0, 2)).toEqual(['skip registration', 'skip delivery']);
  });
});

describe('the step delivery', () => {
  /** The body with which API Gateway rejects an address that is not allowed. */
  function sourceNotAllowed(): string {
    const [, response] = GATEWAY_RESPONSES.find(([type]) => type === ResponseType.ACCESS_DENIED) ?? [];
    if (!response) throw new Error('No gateway response ACCESS_DENIED');
    return problemDocument(response).templates['application/json'];
  }

  it('invokes the function with a note if API Gateway does not allow the address', async () => {
    const rejected: string[] = [];
    const url = await answering(async (body) => {
      rejected.push(body);
      return { status: 403, body: sourceNotAllowed() };
    });

    const { stdout, code } = await smokeDeployed(url);

    expect(stdout).toMatch(/^note {3}delivery {6}403 source-not-allowed: this machine's address is not in/m);
    expect(stdout).toContain(`200 from the function ${stack.outputs.WebhookFunctionName}`);
    expect(statuses(stdout)).toContain('ok redrive');
    expect(code).toBe(0);
    expect(rejected).toHaveLength(1);
    expect(await left()).toEqual(NOTHING);
  });

  it.each([
    [
      'a web ACL rejects the request',
      403,
      '{"type":"urn:problem:vss-webhook:refused"}',
      /403 refused: .*web ACL/,
    ],
    [
      'the Authorization value is not accepted',
      401,
      '{"type":"urn:problem:vss-webhook:unauthorized"}',
      /401 unauthorized/,
    ],
    [
      'another server answers',
      200,
      '<html>\u001b[2J</html>',
      /answered 200; expected 200 with the session id/,
    ],
  ])('fails when %s, and only the steps that need it are skipped', async (_, status, body, message) => {
    const url = await answering(async () => ({ status, body }));

    const { stdout, code } = await smokeDeployed(url);

    expect(statuses(stdout).slice(0, 8)).toEqual([
      'ok registration',
      'FAIL delivery',
      'skip record',
      'skip duplicate',
      'skip dead letter',
      'skip redrive',
      'note alarm topic',
      'ok alarm topic',
    ]);
    expect(stdout).toMatch(message);
    expect(stdout).toMatch(/^skip {3}record {8}needs delivery$/m);
    expect(code).toBe(1);
  });

  it('fails when the connection is refused', async () => {
    const nobody = createServer().listen(0, '127.0.0.1');
    await once(nobody, 'listening');
    const url = urlOf(nobody);
    nobody.close();
    await once(nobody, 'close');

    const { stdout, code } = await smokeDeployed(url);

    expect(stdout).toMatch(/^FAIL {3}delivery {6}could not be completed: fetch failed \(.*ECONNREFUSED/m);
    // The delivery did not arrive, so nothing has to be removed.
    expect(stdout).toMatch(/^ok {5}clean-up {6}removed: nothing to remove$/m);
    expect(code).toBe(1);
  });
});

const PutItem = v.looseObject({ Item: v.record(v.string(), v.unknown()) });

describe('smoke on a stage with a faulty recorder', () => {
  /** Rewrites the items that the recorder puts into the table. */
  function rewriteItems(change: (put: v.InferOutput<typeof PutItem>) => object): void {
    rewritten = ({ operation, body }) =>
      operation === 'PutItem'
        ? Buffer.from(JSON.stringify(change(v.parse(PutItem, JSON.parse(body.toString())))))
        : undefined;
  }

  it('fails if the record differs from the delivery, and removes only its own dead letter', async () => {
    await otherDeadLetter();
    rewriteItems((put) => ({ ...put, Item: { ...put.Item, sessionStatus: { S: 'FAILED' } } }));

    const { stdout, code } = await smoke();

    expect(stdout).toMatch(/^FAIL {3}record {8}the record differs from the delivery in: sessionStatus$/m);
    expect(stdout).toMatch(/^skip {3}duplicate {5}needs record$/m);
    expect(stdout).toMatch(/^skip {3}redrive {7}needs record$/m);
    expect(stdout).toMatch(/^ok {5}clean-up {6}removed: 1 dead letter, 1 session record$/m);
    expect(code).toBe(1);
    expect(await left()).toEqual({ ...NOTHING, deadLetters: 1 });
  });

  it('fails if a duplicate changes the record', async () => {
    rewriteItems(({ ConditionExpression: _, ...put }) => put);

    const { stdout, code } = await smoke();

    expect(stdout).toMatch(/^FAIL {3}duplicate {5}the second delivery changed the record: receivedAt$/m);
    expect(code).toBe(1);
    expect(await left()).toEqual(NOTHING);
  });

  it('fails if nothing is recorded, and names what it could not remove and what to do', async () => {
    faultOf = ({ operation }) => (operation === 'PutItem' ? 'refuse' : undefined);

    const { stdout, code } = await smoke('--timeout', '2');

    expect(statuses(stdout)).toEqual([
      'ok registration',
      'ok delivery',
      'FAIL record',
      'skip duplicate',
      'ok dead letter',
      'skip redrive',
      'note alarm topic',
      'ok alarm topic',
      'FAIL clean-up',
    ]);
    expect(stdout).toMatch(/^FAIL {3}record {8}no record within 2\.0 s; see the recorder's log$/m);
    const [, sessionId] = /for session (smoke-\S+)$/m.exec(stdout) ?? [];
    expect(stdout).toContain(`not removed: session ${sessionId} may still be in the queue`);
    expect(stdout).toContain(
      `aws dynamodb delete-item --table-name ${stack.tableName} --key '{"sessionId":{"S":"${sessionId}"}}'`,
    );
    expect(code).toBe(1);
    expect(await left()).toEqual({ ...NOTHING, queue: 1 });
  });
});

describe('the step clean-up', () => {
  it('fails and names a record that it cannot delete', async () => {
    const proxy = await faultProxy(stack.endpoints.dynamodb, ({ operation }) =>
      operation === 'DeleteItem' ? 'refuse' : undefined,
    );
    const { stdout, code } = await smokeDeployed(stack.webhookUrl, {
      others: { AWS_ENDPOINT_URL_DYNAMODB: proxy.url },
    });
    await proxy.close();

    expect(
      stdout.match(/^FAIL {3}clean-up {6}not removed: the record of smoke-\S+: .* delete-item /gm),
    ).toHaveLength(2);
    expect(code).toBe(1);
    for (const { sessionId } of await readRecords(stack)) await remove(sessionId);
  });

  it('waits for deliveries in flight after an interruption, and removes their records', async () => {
    // Interrupts while the webhook answers the delivery.
    const interruption = new AbortController();
    const url = await answering(async (body) => {
      interruption.abort();
      const headers = { Authorization: stack.authorization };
      const response = await fetch(stack.webhookUrl, { method: 'POST', headers, body });
      return { status: response.status, body: await response.text() };
    });

    const { stdout, code } = await smokeDeployed(url, { interrupted: interruption.signal });

    expect(statuses(stdout)).toEqual(
      expect.arrayContaining(['ok delivery', 'skip redrive', 'skip alarm topic', 'ok clean-up']),
    );
    expect(stdout).toMatch(/removed: 1 session record$/m);
    expect(code).toBe(1);
    expect(await left()).toEqual(NOTHING);
  });

  async function remove(sessionId: string): Promise<void> {
    const Key = { sessionId: { S: sessionId } };
    await stack.dynamodb.send(new DeleteItemCommand({ TableName: stack.tableName, Key }));
  }
});

describe('smoke --export', () => {
  const GOOD: Answers = {
    exportStatuses: ['IN_PROGRESS', 'COMPLETED'],
    writesManifest: true,
    queryState: 'SUCCEEDED',
  };
  const OTHER_KEYS = ['exports/2026-11-21T02Z/AWSDynamoDB/0/manifest-summary.json', 'results/another.csv'];

  async function smokeWith(answers: Partial<Answers>) {
    await using stubs = await analyticsStubs(stack.endpoints.dynamodb, { ...GOOD, ...answers });
    for (const key of OTHER_KEYS) stubs.objects.add(key);
    const others = stubs.environment;
    const result = await smokeDeployed(stack.webhookUrl, { others, args: ['--export'] });
    return { ...result, ...stubs };
  }

  it('exports the table, runs a query, and removes the objects of both', async () => {
    const { stdout, code, asked, objects } = await smokeWith({});

    expect(statuses(stdout).slice(-3)).toEqual(['ok export', 'ok athena', 'ok clean-up']);
    expect(stdout).toMatch(/^ok {5}athena {8}the newest daily export has 42 sessions/m);
    expect(stdout).toMatch(/removed: 2 session records, 4 objects$/m);
    expect(code).toBe(0);
    expect([...objects]).toEqual(OTHER_KEYS);
    expect(asked['ExportTableToPointInTime']).toMatchObject({
      TableArn: expect.stringMatching(new RegExp(`table/${stack.tableName}$`)),
      S3Bucket: stack.outputs.ExportBucketName,
      // Not under exports/, which has only the daily exports.
      S3Prefix: expect.stringMatching(/^results\/smoke-/),
      S3SseAlgorithm: 'KMS',
      S3SseKmsKeyId: 'the-key',
    });
    expect(asked['StartQueryExecution']).toMatchObject({
      QueryExecutionContext: { Database: 'vss_webhook_prod' },
      WorkGroup: stack.outputs.AthenaWorkgroup,
    });
  });

  it('reports a failed export and a failed query, and removes their objects', async () => {
    const { stdout, code, objects } = await smokeWith({
      exportStatuses: ['FAILED'],
      queryState: 'FAILED',
    });

    expect(stdout).toMatch(/^FAIL {3}export {8}FAILED: S3AccessDenied no access$/m);
    expect(stdout).toMatch(/^FAIL {3}athena {8}the query FAILED: line 1:1: no such view$/m);
    expect(code).toBe(1);
    expect([...objects]).toEqual(OTHER_KEYS);
  });

  it('fails if the manifest of the export is missing', async () => {
    const { stdout, code } = await smokeWith({ writesManifest: false });

    expect(stdout).toMatch(/^FAIL {3}export {8}the export is complete, but s3:\S+ is missing$/m);
    expect(code).toBe(1);
  });

  it('reports after an interruption that DynamoDB continues the export, and what to do', async () => {
    await using stubs = await analyticsStubs(stack.endpoints.dynamodb, {
      ...GOOD,
      exportStatuses: ['IN_PROGRESS'],
    });
    const interruption = new AbortController();
    const ended = smokeDeployed(stack.webhookUrl, {
      others: stubs.environment,
      args: ['--export'],
      interrupted: interruption.signal,
    });
    await expect.poll(() => stubs.asked['DescribeExport']).toBeDefined();
    interruption.abort();
    const { stdout, code } = await ended;

    expect(statuses(stdout)).toContain('skip export');
    expect(stdout).toMatch(
      /not removed: DynamoDB is still writing arn:\S+, .* deleted after 7 days; to delete them earlier: aws s3 rm /,
    );
    expect(code).toBe(1);
    expect([...stubs.objects]).toEqual([]);
    expect(await left()).toEqual(NOTHING);
  });

  it('is rejected for a stage without exports', async () => {
    expect(
      await smokeDeployed(stack.webhookUrl, {
        outputs: { ExportBucketName: undefined, AthenaWorkgroup: undefined },
        args: ['--export'],
      }),
    ).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('The stage prod has no exports'),
    });
  });
});

describe('the command line of smoke', () => {
  it.each([
    [['--nonsense'], /^Unknown option '--nonsense'\. See: npx vss-webhook smoke --help\n$/],
    [['--export'], /^--export needs a deployed stage: the local stack has no S3 exports and no Athena/],
    [['--timeout', 'long'], /^Invalid --timeout "long": expected a whole number from 1 to 86400\n$/],
    [['--timeout', '0'], /^Invalid --timeout "0": expected a whole number from 1/],
    [
      ['--stage', 'local:1'],
      /^No local stack is running on port 1\. Local stacks on this machine: --stage local/,
    ],
    [['--stage', 'local:abc'], /^"local:abc" is not a stage name/],
  ])('rejects %j with one line and exit code 2', async (args, message) => {
    const { stdout, stderr, code } = await smoke(...args);

    expect([stdout, code]).toEqual(['', 2]);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('describes its side effects with --help', async () => {
    const { stdout, code } = await smoke('--help');

    expect(stdout).toMatch(/^Usage: npx vss-webhook smoke/);
    expect(stdout).toContain('may trigger the alarm');
    expect(stdout).toContain('metrics include the test data');
    expect(code).toBe(0);
  });
});
