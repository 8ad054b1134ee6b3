import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { type DayProgress, NO_RESULT } from '../../../functions/reconciliation/result.ts';
import { scheduledDays } from '../../../functions/reconciliation/schedule.ts';
import { deployedStage, urlOf } from './deployed-stage.ts';
import { vssWebhook } from './vss-webhook.ts';

/** Runs `npx vss-webhook reconcile` with a stub of the function. */

const OUTPUTS = {
  WebhookUrl: 'https://api.example/webhook',
  AuthorizationSecretArn: 'secret',
  QueueUrl: 'queue',
  DeadLetterQueueUrl: 'dead-letters',
  TableName: 'table',
  SubAccountIds: 'acme,other',
  RegistrationFunctionName: 'registration',
  WebhookFunctionName: 'webhook',
  AlarmTopicArn: 'topic',
  ExportBucketName: 'bucket',
  ReconciliationFunctionName: 'reconciliation',
};

const RESULT = { ...NO_RESULT, sessions: 3, matched: 2, missing: 1, recorded: 1, missingSessions: ['s1'] };
const DONE = { state: 'done', result: RESULT } as const;

const WINDOW = ['--from', '2026-11-20', '--to', '2026-11-20'];

/** The windows with which the function was invoked. */
let windows: unknown[] = [];
beforeEach(() => {
  windows = [];
});

/** Runs the command on a stage whose function answers with this day. */
async function reconcile(
  day: Omit<DayProgress, 'subAccountId' | 'day'>,
  args: readonly string[] = [],
  { interrupted, window = WINDOW }: { interrupted?: AbortSignal; window?: readonly string[] } = {},
) {
  const lambda = createServer(async (request, response) => {
    const { window } = JSON.parse(await text(request));
    windows.push(window);
    response.end(JSON.stringify([{ subAccountId: window.subAccountId, day: window.from, ...day }]));
  }).listen(0, '127.0.0.1');
  await once(lambda, 'listening');
  onTestFinished(() => void lambda.close());
  await using prod = await deployedStage({ outputs: OUTPUTS }, { AWS_ENDPOINT_URL_LAMBDA: urlOf(lambda) });
  return await vssWebhook(['reconcile', '--stage', 'prod', ...window, ...args], {
    env: prod.environment,
    interrupted,
  });
}

it('prints each day of each sub-account and the total', async () => {
  const counts = '3 exported, 2 matched, 1 missing, 1 recorded, 0 differing, 0 rows refused';

  expect(await reconcile(DONE)).toEqual({
    code: 0,
    stdout: `vss-webhook-prod, account 123456789012, region eu-west-1

ok     2026-11-20    acme: ${counts}
       missing  s1
ok     2026-11-20    other: ${counts}
       missing  s1

2 days: 6 exported, 2 missing, 2 recorded, 0 differing, 0 rows refused.
`,
    stderr: '',
  });
});

it.each([
  [
    'held',
    { state: 'held', result: RESULT },
    '--stage prod --from 2026-11-20 --to 2026-11-20 --sub-account acme --beyond-limit\n',
  ],
  [
    'failed',
    { state: 'failed', detail: '8x8 has no export' },
    'FAIL   2026-11-20    acme: 8x8 has no export\n',
  ],
] as const)('exits with 1 if a day is %s, and says what to do or why', async (_, day, message) => {
  const { stdout, code } = await reconcile(day, ['--sub-account', 'acme']);

  expect(stdout).toContain(message);
  expect(code).toBe(1);
});

it('passes its options to the function, for the chosen sub-accounts only', async () => {
  await reconcile(DONE, ['--sub-account', 'other', '--again', '--beyond-limit']);
  await reconcile(DONE, ['--sub-account', 'other', '--report']);

  const window = { subAccountId: 'other', from: '2026-11-20', to: '2026-11-20', skipped: [] };
  expect(windows).toEqual([
    { ...window, mode: 'record', beyondLimit: true, again: true },
    { ...window, mode: 'report', beyondLimit: false, again: false },
  ]);
});

it('reconciles every day that the schedule still keeps by default, so that it shows every day that is held', async () => {
  const kept = scheduledDays('2020-01-01T00:00:00Z', Date.now());

  await reconcile(DONE, ['--sub-account', 'acme'], { window: [] });

  expect(windows).toEqual([expect.objectContaining({ from: kept[0], to: kept.at(-1) })]);
});

it('prints only a line of JSON per day with --json', async () => {
  const { stdout, stderr } = await reconcile(DONE, ['--json', '--sub-account', 'acme']);

  expect([stdout.split('\n').length, stderr]).toEqual([2, '']);
  expect(JSON.parse(stdout)).toEqual({ subAccountId: 'acme', day: '2026-11-20', ...DONE });
});

it('exits with 130 after an interruption, and says how to resume', async () => {
  expect(await reconcile(DONE, [], { interrupted: AbortSignal.abort() })).toMatchObject({
    code: 130,
    stderr: 'Interrupted. The same command resumes where this one stopped.\n',
  });
  expect(windows).toEqual([]);
});

it.each([
  [['--to', 'tomorrow'], 'Invalid --from 2026-11-20 --to tomorrow: expected a day such as 2026-11-24.'],
  [
    ['--to', '2026-11-19'],
    'Invalid --from 2026-11-20 --to 2026-11-19: expected a first day that is not after',
  ],
  [['--from', '2025-11-01'], 'expected at most 366 days.'],
  [
    ['--to', '2999-01-01', '--from', '2999-01-01'],
    'Invalid --to 2999-01-01: expected today or a day before.',
  ],
  [['--report', '--beyond-limit'], 'Invalid --report with --beyond-limit: a report records nothing.'],
  [['--sub-account', 'none'], 'Invalid --sub-account none: the sub-accounts of prod are acme, other.'],
])('rejects %j with one line', async (args, message) => {
  const { stdout, stderr, code } = await reconcile(DONE, args);

  expect([stdout, code, windows]).toEqual(['', 2, []]);
  expect(stderr).toContain(message);
  expect(stderr).toMatch(/ See: npx vss-webhook reconcile --help\n$/);
});
