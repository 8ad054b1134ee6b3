import { spawn } from 'node:child_process';
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
import { root, run } from '../run.ts';
import { type Answers, analyticsStubs } from './analytics-stubs.ts';
import { deployedStage, urlOf } from './deployed-stage.ts';

/** `npm run smoke` about the running local stack, and about one that is found as a deployed one is. */

let stack: LocalStack;
let stage: string;
/** What DynamoDB does with a call of the recorder's: a fault, or another call. */
let faultOf: (call: Call) => Fault | undefined;
let rewritten: (call: Call) => Buffer | undefined;
/** Where the metrics of the stage `prod` are, which are those of the local stack. */
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

const smoke = (...args: string[]) => run(['infra/commands/smoke.ts', '--stage', stage, ...args]);

interface Deployed {
  /** Where other services are than those of the local stack. */
  others?: NodeJS.ProcessEnv;
  outputs?: Partial<LocalStack['outputs']>;
}

/** The stage `prod`, whose webhook has this URL; the rest of it is the local stack. */
const deployed = (webhookUrl: string, { others, outputs }: Deployed = {}) =>
  deployedStage(
    { ...stack, outputs: { ...stack.outputs, WebhookUrl: webhookUrl, ...outputs } },
    { AWS_ENDPOINT_URL_CLOUDWATCH: metrics.url, ...others },
  );

async function smokeDeployed(
  webhookUrl: string,
  { args = [], ...rest }: Deployed & { args?: string[] } = {},
) {
  await using prod = await deployed(webhookUrl, rest);
  return await run(['infra/commands/smoke.ts', '--stage', 'prod', ...args], { env: prod.environment });
}

/** The marks of the lines, each with what it is about: `ok delivery`. */
/** The lines after the heading. */
const marks = (stdout: string) =>
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

describe('a stage that works', () => {
  it('is proved, step by step, and nothing is left behind', async () => {
    const { stdout, stderr, code } = await smoke();

    expect([marks(stdout), stderr]).toEqual([
      [
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
    expect(stdout).toMatch(/^note {3}alarm topic {3}nobody is told of alarms: set alarmEmail/m);
    expect(code).toBe(0);
    expect(await left()).toEqual(NOTHING);
  });

  it('keeps the dead letters of others, and shows them again at once', async () => {
    const delivery = {
      body: summaryBody({ sessionId: 'another' }),
      receivedAt: new Date().toISOString(),
      requestId: 'another',
    };
    const message = toMessage(delivery, { reason: 'unknown-subaccount' });
    await stack.sqs.send(new SendMessageCommand({ QueueUrl: stack.deadLetterQueueUrl, ...message }));

    const { code } = await smoke();

    expect(code).toBe(0);
    const { Messages = [] } = await stack.sqs.send(
      new ReceiveMessageCommand({ QueueUrl: stack.deadLetterQueueUrl, MaxNumberOfMessages: 10 }),
    );
    expect(Messages.map(({ Body }) => Body)).toEqual([delivery.body]);
  });

  it('tells whoever has subscribed to the alarms, and counts them', async () => {
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

    expect(stdout).toMatch(/^ok {5}alarm topic {3}a test message is published; confirmed subscriptions: 1$/m);
    expect(marks(stdout)).not.toContain('note alarm topic');
    const { Messages = [] } = await stack.sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    expect(Messages[0]?.Body).toContain('Test message of vss-webhook-local');
  });
});

describe('the way in', () => {
  /** What API Gateway answers to an address that is not allowed. */
  function refusal(): string {
    const [, response] = GATEWAY_RESPONSES.find(([type]) => type === ResponseType.ACCESS_DENIED) ?? [];
    if (!response) throw new Error('There is no such response');
    return problemDocument(response).templates['application/json'];
  }

  it('is the function where API Gateway refuses the address, which a line says', async () => {
    const refused: string[] = [];
    const url = await answering(async (body) => {
      refused.push(body);
      return { status: 403, body: refusal() };
    });

    const { stdout, code } = await smokeDeployed(url);

    expect(stdout).toMatch(/^note {3}delivery {6}403 source-not-allowed: this machine's address is not in/m);
    expect(stdout).toContain(`200 from the function ${stack.outputs.WebhookFunctionName}`);
    expect(marks(stdout)).toContain('ok redrive');
    expect(code).toBe(0);
    expect(refused).toHaveLength(1);
    expect(await left()).toEqual(NOTHING);
  });

  it.each([
    ['a web ACL refuses', 403, '{"type":"urn:problem:vss-webhook:refused"}', /403 refused: .*web ACL/],
    ['the value is not accepted', 401, '{"type":"urn:problem:vss-webhook:unauthorized"}', /401 unauthorized/],
    [
      'something else answers',
      200,
      '<html>\u001b[2J</html>',
      /answers 200; expected 200 with the session id/,
    ],
  ])('is reported when %s; what needs it is skipped, the rest is not', async (_, status, body, message) => {
    const url = await answering(async () => ({ status, body }));

    const { stdout, code } = await smokeDeployed(url);

    expect(marks(stdout).slice(0, 7)).toEqual([
      'WRONG delivery',
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

  it('is reported when nobody is there', async () => {
    const nobody = createServer().listen(0, '127.0.0.1');
    await once(nobody, 'listening');
    const url = urlOf(nobody);
    nobody.close();
    await once(nobody, 'close');

    const { stdout, code } = await smokeDeployed(url);

    expect(stdout).toMatch(/^WRONG {2}delivery {6}could not be carried out: fetch failed \(.*ECONNREFUSED/m);
    // What has not arrived is nowhere.
    expect(stdout).toMatch(/^ok {5}clean-up {6}removed: nothing was there$/m);
    expect(code).toBe(1);
  });
});

const PutItem = v.looseObject({ Item: v.record(v.string(), v.unknown()) });

describe('a recorder', () => {
  /** Has DynamoDB store other items than the recorder writes. */
  function rewriteItems(change: (put: v.InferOutput<typeof PutItem>) => object): void {
    rewritten = ({ operation, body }) =>
      operation === 'PutItem'
        ? Buffer.from(JSON.stringify(change(v.parse(PutItem, JSON.parse(body.toString())))))
        : undefined;
  }

  it('that records something else is found out', async () => {
    rewriteItems((put) => ({ ...put, Item: { ...put.Item, sessionStatus: { S: 'FAILED' } } }));

    const { stdout, code } = await smoke();

    expect(stdout).toMatch(/^WRONG {2}record {8}the record is not as it was delivered: sessionStatus$/m);
    expect(stdout).toMatch(/^skip {3}duplicate {5}needs record$/m);
    expect(stdout).toMatch(/^skip {3}redrive {7}needs record$/m);
    expect(stdout).toMatch(/^ok {5}clean-up {6}removed: 1 dead letter, 1 session record$/m);
    expect(code).toBe(1);
    expect(await left()).toEqual(NOTHING);
  });

  it('that records a session again, when it is delivered again, is found out', async () => {
    rewriteItems(({ ConditionExpression: _, ...put }) => put);

    const { stdout, code } = await smoke();

    expect(stdout).toMatch(/^WRONG {2}duplicate {5}the second delivery has changed the record: receivedAt$/m);
    expect(code).toBe(1);
    expect(await left()).toEqual(NOTHING);
  });

  it('that records nothing is found out; what cannot be removed is named, with what to do', async () => {
    faultOf = ({ operation }) => (operation === 'PutItem' ? 'refuse' : undefined);

    const { stdout, code } = await smoke('--timeout', '2');

    expect(marks(stdout)).toEqual([
      'ok delivery',
      'WRONG record',
      'skip duplicate',
      'ok dead letter',
      'skip redrive',
      'note alarm topic',
      'ok alarm topic',
      'WRONG clean-up',
    ]);
    expect(stdout).toMatch(/^WRONG {2}record {8}no record within 2\.0 s; see the recorder's log$/m);
    const [, sessionId] = /for session (smoke-\S+)$/m.exec(stdout) ?? [];
    expect(stdout).toContain(`not removed: session ${sessionId} may still be in the queue`);
    expect(stdout).toContain(
      `aws dynamodb delete-item --table-name ${stack.tableName} --key '{"sessionId":{"S":"${sessionId}"}}'`,
    );
    expect(code).toBe(1);
    expect(await left()).toEqual({ ...NOTHING, queue: 1 });
  });
});

describe('the clean-up', () => {
  it('names a record that it cannot delete', async () => {
    const proxy = await faultProxy(stack.endpoints.dynamodb, ({ operation }) =>
      operation === 'DeleteItem' ? 'refuse' : undefined,
    );
    const { stdout, code } = await smokeDeployed(stack.webhookUrl, {
      others: { AWS_ENDPOINT_URL_DYNAMODB: proxy.url },
    });
    await proxy.close();

    expect(
      stdout.match(/^WRONG {2}clean-up {6}not removed: the record of smoke-\S+: .* delete-item /gm),
    ).toHaveLength(2);
    expect(code).toBe(1);
    for (const { sessionId } of await readRecords(stack)) await remove(sessionId);
  });

  it('waits, after Ctrl-C, for what is on its way, and removes it', async ({ signal }) => {
    // The signal comes while the delivery is answered.
    const child = Promise.withResolvers<ReturnType<typeof spawn>>();
    const url = await answering(async (body) => {
      (await child.promise).kill('SIGINT');
      const headers = { Authorization: stack.authorization };
      const response = await fetch(stack.webhookUrl, { method: 'POST', headers, body });
      return { status: response.status, body: await response.text() };
    });
    await using prod = await deployed(url);
    const started = spawn(process.execPath, ['infra/commands/smoke.ts', '--stage', 'prod'], {
      cwd: root,
      signal,
      env: prod.environment,
    });
    child.resolve(started);
    const [stdout, [code]] = await Promise.all([text(started.stdout), once(started, 'exit')]);

    expect(marks(stdout)).toEqual(
      expect.arrayContaining(['ok delivery', 'skip redrive', 'skip alarm topic', 'ok clean-up']),
    );
    expect(stdout).toMatch(/removed: 1 session record$/m);
    expect(code).toBe(1);
    expect(await left()).toEqual(NOTHING);
  });

  it('goes on when nobody reads what is printed', async ({ signal }) => {
    const child = spawn(process.execPath, ['infra/commands/smoke.ts', '--stage', stage], {
      cwd: root,
      signal,
    });
    child.stdout.destroy();
    const [complaints] = await Promise.all([text(child.stderr), once(child, 'exit')]);

    expect(complaints).toBe('');
    expect(await left()).toEqual(NOTHING);
  });

  async function remove(sessionId: string): Promise<void> {
    const Key = { sessionId: { S: sessionId } };
    await stack.dynamodb.send(new DeleteItemCommand({ TableName: stack.tableName, Key }));
  }
});

describe('--export', () => {
  const GOOD: Answers = {
    exportStatuses: ['IN_PROGRESS', 'COMPLETED'],
    writesManifest: true,
    queryState: 'SUCCEEDED',
  };
  const OTHERS = ['exports/2026-11-21T02:00:00Z/AWSDynamoDB/0/manifest-summary.json', 'results/another.csv'];

  async function smokeWith(answers: Partial<Answers>) {
    await using stubs = await analyticsStubs(stack.endpoints.dynamodb, { ...GOOD, ...answers });
    for (const key of OTHERS) stubs.objects.add(key);
    const others = stubs.environment;
    const result = await smokeDeployed(stack.webhookUrl, { others, args: ['--export'] });
    return { ...result, ...stubs };
  }

  it('proves an export and a query, and removes their objects', async () => {
    const { stdout, code, asked, objects } = await smokeWith({});

    expect(marks(stdout).slice(-3)).toEqual(['ok export', 'ok athena', 'ok clean-up']);
    expect(stdout).toMatch(/^ok {5}athena {8}.* counts 42 sessions/m);
    expect(stdout).toMatch(/removed: 2 session records, 4 objects$/m);
    expect(code).toBe(0);
    expect([...objects]).toEqual(OTHERS);
    expect(asked['ExportTableToPointInTime']).toMatchObject({
      TableArn: expect.stringMatching(new RegExp(`table/${stack.tableName}$`)),
      S3Bucket: stack.outputs.ExportBucketName,
      // Not under exports/, where the daily exports are looked for.
      S3Prefix: expect.stringMatching(/^results\/smoke-/),
      S3SseAlgorithm: 'KMS',
      S3SseKmsKeyId: 'the-key',
    });
    expect(asked['StartQueryExecution']).toMatchObject({
      QueryExecutionContext: { Database: 'vss_webhook_prod' },
      WorkGroup: stack.outputs.AthenaWorkgroup,
    });
  });

  it('finds an export that fails, and a query; and removes what they left', async () => {
    const { stdout, code, objects } = await smokeWith({
      exportStatuses: ['FAILED'],
      queryState: 'FAILED',
    });

    expect(stdout).toMatch(/^WRONG {2}export {8}FAILED: S3AccessDenied no access$/m);
    expect(stdout).toMatch(/^WRONG {2}athena {8}the query FAILED: line 1:1: no such view$/m);
    expect(code).toBe(1);
    expect([...objects]).toEqual(OTHERS);
  });

  it('finds an export without its manifest', async () => {
    const { stdout, code } = await smokeWith({ writesManifest: false });

    expect(stdout).toMatch(/^WRONG {2}export {8}DynamoDB has finished, but s3:\S+ is missing$/m);
    expect(code).toBe(1);
  });

  it('says after Ctrl-C that DynamoDB goes on to write, and what to do', async ({ signal }) => {
    await using stubs = await analyticsStubs(stack.endpoints.dynamodb, {
      ...GOOD,
      exportStatuses: ['IN_PROGRESS'],
    });
    await using prod = await deployed(stack.webhookUrl, { others: stubs.environment });
    const child = spawn(process.execPath, ['infra/commands/smoke.ts', '--stage', 'prod', '--export'], {
      cwd: root,
      signal,
      env: prod.environment,
    });
    const printed = text(child.stdout);
    await expect.poll(() => stubs.asked['DescribeExport']).toBeDefined();
    child.kill('SIGINT');
    const [stdout, [code]] = await Promise.all([printed, once(child, 'exit')]);

    expect(marks(stdout)).toContain('skip export');
    expect(stdout).toMatch(
      /not removed: DynamoDB is still writing arn:\S+, .* deleted after 7 days; at once: aws s3 rm /,
    );
    expect(code).toBe(1);
    expect([...stubs.objects]).toEqual([]);
    expect(await left()).toEqual(NOTHING);
  });

  it('is refused where the stage has no exports', async () => {
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

describe('the command line', () => {
  it.each([
    [['--nonsense'], /^Unknown option '--nonsense'\. See: npm run smoke -- --help\n$/],
    [['--export'], /^The local stack has neither exports to S3 nor Athena: --export is for a deployed/],
    [['--timeout', 'long'], /^--timeout takes a whole number from 1 to 86400, not "long"\n$/],
    [['--timeout', '0'], /^--timeout takes a whole number from 1/],
    [['--stage', 'local:1'], /^No local stack runs on port 1\. Running on this machine: --stage local/],
    [['--stage', 'local:abc'], /^"local:abc" is not the name of a stage/],
  ])('%j is refused with one line, and exit code 2', async (args, message) => {
    const { stdout, stderr, code } = await smoke(...args);

    expect([stdout, code]).toEqual(['', 2]);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('--help says what it does to a stage', async () => {
    const { stdout, code } = await smoke('--help');

    expect(stdout).toMatch(/^Usage: npm run smoke/);
    expect(stdout).toContain('it may trigger the alarm');
    expect(stdout).toContain('counts in the metrics');
    expect(code).toBe(0);
  });
});
