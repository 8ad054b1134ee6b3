import { once } from 'node:events';
import { createServer } from 'node:http';
import { PurgeQueueCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest';
import { type DeadLetterReason, toMessage } from '../../../functions/queue/message.ts';
import { queueDepth } from '../../../functions/queue/queue-depth.ts';
import { CloudWatch } from '../../../infra/local/cloudwatch.ts';
import { awaitRecords, deliver } from '../../../infra/local/examples.ts';
import type { LocalStack } from '../../../infra/local/local-stack.ts';
import { summaryBody } from '../../functions/summaries.ts';
import { startStack } from '../../start-stack.ts';
import { deployedStage, urlOf } from './deployed-stage.ts';
import { vssWebhook } from './vss-webhook.ts';

/** Runs `npx vss-webhook doctor` on a running local stack. */

let stack: LocalStack;
let stage: string;
beforeAll(async () => {
  stack = await startStack({ schedules: true });
  stage = `local:${new URL(stack.webhookUrl).port}`;
});
afterAll(() => stack.stop());
beforeEach(async () => {
  Object.assign(stack.fake8x8.switches, { faults: [], stays: false });
  await stack.sqs.send(new PurgeQueueCommand({ QueueUrl: stack.deadLetterQueueUrl }));
});

const doctor = (...args: string[]) => vssWebhook(['doctor', '--stage', stage, ...args]);

async function deadLetter(reason: DeadLetterReason['reason']): Promise<void> {
  const delivery = { body: summaryBody(), receivedAt: new Date().toISOString(), requestId: 'request' };
  await stack.sqs.send(
    new SendMessageCommand({ QueueUrl: stack.deadLetterQueueUrl, ...toMessage(delivery, { reason }) }),
  );
}

it('passes every check of a healthy stage', async () => {
  // The exports and the reconciliation are first measured a moment after the start.
  await expect.poll(async () => (await doctor()).stdout).toMatch(/^ok {5}exports.*\nok {5}log export/m);
  const { stdout, code } = await doctor();

  expect(
    stdout
      .trim()
      .split('\n')
      .slice(2)
      .map((line) => line.slice(0, 5)),
  ).toEqual(Array(9).fill('ok   '));
  expect(stdout).toMatch(/^vss-webhook-local, on this machine, port \d+\n\n/);
  expect(stdout).toContain('queue         empty\n');
  expect(stdout).toContain('dead letters  none\n');
  expect(stdout).toContain('events        the pipe is RUNNING\n');
  expect(stdout).toContain('last session  none recorded in the last 14 days\n');
  expect(stdout).toMatch(
    /^ok {5}log export {4}measured \d+[sm] ago: no day is overdue for more than 24 hours, and none is held; no missed sessions counted in the last 7 days$/m,
  );
  expect(stdout).toMatch(
    /^ok {5}exports {7}measured \d+[sm] ago: 0 hours since the table was created: no export is complete yet$/m,
  );
  expect(code).toBe(0);
});

it('shows when the last session was recorded', async () => {
  await deliver(stack, summaryBody({ sessionId: 'doctor-1' }));
  await awaitRecords(stack, ['doctor-1']);

  // The metric is logged a moment after the record is written.
  await expect
    .poll(async () => (await doctor()).stdout)
    .toContain('last session  recorded in the last 5 minutes\n');
});

it('counts dead letters by reason, leaves all of them visible, and prints the command that lists them', async () => {
  for (const reason of ['invalid-json', 'record-too-large', 'invalid-json'] as const)
    await deadLetter(reason);

  const { stdout, code } = await doctor();

  expect(stdout).toMatch(/^FAIL {3}dead letters {2}3: .*invalid-json 2/m);
  expect(stdout).toMatch(/^FAIL {3}dead letters {2}3: .*record-too-large 1/m);
  expect(stdout).toContain(`To list them: npx vss-webhook redrive --stage ${stage}\n`);
  expect(code).toBe(1);
  // Another consumer can receive all of them immediately.
  const seen = new Set<string>();
  for (let receives = 0; receives < 5; receives++) {
    const { Messages = [] } = await stack.sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: stack.deadLetterQueueUrl,
        MaxNumberOfMessages: 10,
        VisibilityTimeout: 0,
      }),
    );
    for (const { MessageId = '' } of Messages) seen.add(MessageId);
  }
  expect(seen.size).toBe(3);
});

it('reports the sub-account whose webhook is not registered, and what is wrong', async () => {
  const registered = stack.fake8x8.webhooks.get('wavecell_voice') ?? [];
  stack.fake8x8.webhooks.set('wavecell_voice', []);

  const { stdout, code } = await doctor();
  stack.fake8x8.webhooks.set('wavecell_voice', registered);

  expect(stdout).toMatch(
    /^ok {5}registration {2}8x8_test: 8x8 delivers to https:\S+\/local\/voice\/webhooks\/vss$/m,
  );
  expect(stdout).toMatch(
    /^FAIL {3}registration {2}wavecell_voice: gone\. 8x8 shows no VSS webhook; expected https:/m,
  );
  expect(code).toBe(1);
});

it('reports why the registration function could not be invoked', async () => {
  await using prod = await deployedStage({
    ...stack,
    outputs: { ...stack.outputs, RegistrationFunctionName: 'missing' },
  });

  const { stdout, code } = await vssWebhook(['doctor', '--stage', 'prod'], {
    env: prod.environment,
  });

  expect(stdout).toMatch(/^FAIL {3}registration {2}could not be checked: Function not found/m);
  expect(code).toBe(1);
});

it('exits with 130 after an interruption, and leaves every dead letter visible', async () => {
  for (let n = 0; n < 30; n++) await deadLetter('invalid-json');
  const depth = () => queueDepth(stack.sqs, stack.deadLetterQueueUrl);
  const interruption = new AbortController();

  const ended = vssWebhook(['doctor', '--stage', stage], { interrupted: interruption.signal });
  // The command hides the messages while it reads them.
  await expect.poll(async () => (await depth()).hidden, { interval: 50 }).toBeGreaterThan(0);
  interruption.abort();
  const { stderr, code } = await ended;

  expect([stderr, code]).toEqual(['', 130]);
  expect(await depth()).toEqual({ visible: 30, hidden: 0 });
});

it('reports each sub-account when 8x8 rejects the API key', async () => {
  Object.assign(stack.fake8x8.switches, { faults: [401], stays: true });

  expect(
    (await doctor()).stdout.match(/key-refused\. .*HTTP 401.*does not accept the API key/g),
  ).toHaveLength(2);
});

it('reports a message of a deployed stage that has waited for too long', async () => {
  const metrics = new CloudWatch().server(async () => 301).listen(0, '127.0.0.1');
  await once(metrics, 'listening');
  await using prod = await deployedStage(stack, { AWS_ENDPOINT_URL_CLOUDWATCH: urlOf(metrics) });

  const { stdout, code } = await vssWebhook(['doctor', '--stage', 'prod'], {
    env: prod.environment,
  });
  metrics.close();

  expect(stdout).toMatch(/^vss-webhook-prod, account 123456789012, region eu-west-1\n\n/);
  expect(stdout).toMatch(/^ok {5}registration {2}8x8_test: /m);
  expect(stdout).toMatch(
    /^FAIL {3}queue {9}0 waiting, 0 in flight; the oldest is 301 s old, more than 300 s: .*see the recorder's log$/m,
  );
  expect(code).toBe(1);
});

/** Runs the command on a deployed stage whose functions have published these values some time ago. */
async function doctorWith(published: Readonly<Record<string, number>>, ageMs = 0, outputs = stack.outputs) {
  const cloudWatch = new CloudWatch();
  const Dimensions = [['service']];
  const Metrics = Object.keys(published).map((Name) => ({ Name }));
  cloudWatch.note(
    JSON.stringify({
      _aws: {
        Timestamp: Date.now() - ageMs,
        CloudWatchMetrics: [{ Namespace: 'VssWebhook', Dimensions, Metrics }],
      },
      service: 'vss-webhook-prod',
      ...published,
    }),
  );
  const metrics = cloudWatch.server(async () => 0).listen(0, '127.0.0.1');
  await once(metrics, 'listening');
  await using prod = await deployedStage(
    { ...stack, outputs },
    { AWS_ENDPOINT_URL_CLOUDWATCH: urlOf(metrics) },
  );
  const result = await vssWebhook(['doctor', '--stage', 'prod'], { env: prod.environment });
  metrics.close();
  return result;
}

it.each([
  [27, /^ok {5}exports {7}measured \d+[sm] ago: 27 hours since the newest complete export$/m],
  [
    29,
    /^FAIL {3}exports {7}measured \d+[sm] ago: 29 hours since the newest complete export\. An export is due every day: /m,
  ],
])('shows that the newest export is %i hours old', async (hours, expected) => {
  expect((await doctorWith({ ExportAge: hours * 3_600 })).stdout).toMatch(expected);
});

it('shows that no export is complete yet, and the age of the table', async () => {
  expect((await doctorWith({ ExportAge: 29 * 3_600, NoCompleteExport: 1 })).stdout).toMatch(
    /^FAIL {3}exports .*: 29 hours since the table was created: no export is complete yet\. An export is due/m,
  );
});

const HEALTHY = { ExportAge: 0, ReconciliationOverdue: 0, ReconciliationHeld: 0 };
const HOUR = 3_600_000;

it.each([
  [
    'missed sessions, which are no failure',
    { ...HEALTHY, MissedSessions: 3 },
    0,
    /^ok {5}log export {4}measured \d+[sm] ago: no day is overdue for more than 24 hours, and none is held; 3 missed sessions counted in the last 7 days\. To list them: npx vss-webhook reconcile --stage prod --report$/m,
  ],
  [
    'overdue days',
    { ...HEALTHY, ReconciliationOverdue: 2 },
    0,
    /^FAIL {3}log export {4}measured \d+[sm] ago: 2 days overdue, counted per sub-account; see the log of the function Reconciliation$/m,
  ],
  [
    'held days',
    { ...HEALTHY, ReconciliationHeld: 1 },
    0,
    /^FAIL {3}log export {4}measured \d+[sm] ago: 1 day held, counted per sub-account, .* npx vss-webhook reconcile --stage prod --report; to record them, use --beyond-limit instead of --report$/m,
  ],
  [
    'as of when it knows that no day is held',
    HEALTHY,
    HOUR / 2,
    /^ok {5}log export {4}measured 3\dm ago: no day .*, and none is held;/m,
  ],
  [
    'a measurement that is late',
    HEALTHY,
    4 * HOUR,
    /^FAIL {3}log export {4}measured 4h ago: expected every hour; see/m,
  ],
  ['no measurement', { ExportAge: 0 }, 0, /^FAIL {3}log export {4}not measured in the last 7 days; see/m],
])('shows of the reconciliation: %s', async (_, published, ageMs, expected) => {
  const { stdout, code } = await doctorWith(published, ageMs);

  expect(stdout).toMatch(expected);
  expect(code).toBe(stdout.includes('FAIL') ? 1 : 0);
});

it('fails if the pipe does not run or has given up events, with the reason and what to do', async () => {
  const pipes = createServer((_, response) =>
    response.end(JSON.stringify({ CurrentState: 'STOPPED', StateReason: 'No permission to put events.' })),
  ).listen(0, '127.0.0.1');
  await once(pipes, 'listening');
  onTestFinished(() => void pipes.close());
  const QueueUrl = stack.outputs.SessionEventsDeadLetterQueueUrl;
  await stack.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: '{}' }));
  onTestFinished(async () => void (await stack.sqs.send(new PurgeQueueCommand({ QueueUrl }))));
  await using prod = await deployedStage(stack, { AWS_ENDPOINT_URL_PIPES: urlOf(pipes) });

  const { stdout, code } = await vssWebhook(['doctor', '--stage', 'prod'], {
    env: prod.environment,
  });

  expect(stdout).toMatch(
    /^FAIL {3}events {8}the pipe is STOPPED: No permission to put events\. After fixing the cause: aws pipes start-pipe --name \S+$/m,
  );
  expect(stdout).toMatch(
    /^FAIL {3}events {8}1 event was given up\. To publish them again, or delete those that are too old: npx vss-webhook redrive events --stage prod$/m,
  );
  expect(code).toBe(1);
});

it('checks neither exports, nor reconciliation, nor session events in a stage that has none', async () => {
  const outputs = {
    ...stack.outputs,
    AthenaWorkgroup: undefined,
    ReconciliationFunctionName: undefined,
    SessionEventsPipeName: undefined,
  };

  const { stdout, code } = await doctorWith({}, 0, outputs);

  expect(stdout).toContain('last session');
  expect(stdout).not.toMatch(/exports|log export|events/);
  expect(code).toBe(0);
});

it('reports a check that could not be completed, and still runs the others', async () => {
  await using prod = await deployedStage(stack, {
    AWS_ENDPOINT_URL_LAMBDA: 'http://127.0.0.1:1',
    AWS_MAX_ATTEMPTS: '1',
  });

  const { stdout, code } = await vssWebhook(['doctor', '--stage', 'prod'], {
    env: prod.environment,
  });

  expect(stdout).toMatch(/^FAIL {3}registration {2}could not be checked: .*ECONNREFUSED/m);
  expect(stdout).toMatch(/^ok {5}dead letters {2}none$/m);
  expect(code).toBe(1);
});

it.each([
  [['--nonsense'], "Unknown option '--nonsense'"],
  [['--stage', 'local:1'], 'No local stack is running on port 1.'],
  [
    ['--stage', 'local:abc'],
    '"local:abc" is not a stage name: expected a stage of cdk.json, local or local:PORT',
  ],
  [['--stage', ''], '"" is not a stage name'],
])('rejects %j with what to do', async (args, message) => {
  const { stderr, code } = await doctor(...args);

  expect(code).toBe(2);
  expect(stderr).toContain(message);
});

it('prints its usage with --help', async () => {
  const { stdout, code } = await doctor('--help');

  expect(stdout).toContain('Usage: npx vss-webhook doctor');
  expect(code).toBe(0);
});
