import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { createHandler } from '../../../functions/registration/create-handler.ts';
import { webhooksApi } from '../../../functions/registration/webhooks-api.ts';
import type { Fault, Switches } from '../../../infra/local/fake-8x8/switches.ts';
import { telemetry } from '../telemetry.ts';
import { COMMON, create, PHYSICAL_ID, properties, remove, URL_OF_OURS, update } from './cloudformation.ts';
import { API_KEY, inMemory8x8 } from './in-memory-8x8.ts';

const FOREIGN_URL = 'https://elsewhere.example/vss';

const vss = (url: string, httpAuthHeader: string | null = 'other', enabled = true) => ({
  type: 'VSS',
  url,
  enabled,
  httpAuthHeader,
});

/** Our webhook, as registered with a version of the Authorization value. */
const ours = (version = 1) => vss(URL_OF_OURS, `value ${version}`);
const foreign = vss(FOREIGN_URL);

interface Circumstances extends Partial<Switches> {
  before?: ReturnType<typeof vss>[];
  status?: string;
  subAccountIds?: string[];
}

function setUp(circumstances: Circumstances = {}) {
  const {
    before = [],
    status = 'UPDATE_IN_PROGRESS',
    subAccountIds = ['some_account'],
    ...switches
  } = circumstances;
  const { api, fetch, now, pause } = inMemory8x8(['some_account', 'another_account']);
  api.webhooks.set('some_account', before);
  Object.assign(api.switches, switches);
  const { logger, metrics, logged, counted, published } = telemetry();
  const handle = createHandler({
    connect: async (retryMs, baseUrl = 'https://voice.example') =>
      webhooksApi({ baseUrl, retryMs, apiKey: API_KEY, fetch, now, pause }),
    readSecret: async (arn) => `value ${arn}`,
    stackStatus: async () => {
      if (status === 'unknown') throw new Error('no permission');
      return status;
    },
    subAccountIds,
    logger,
    metrics,
  });
  return {
    api,
    handle,
    logged,
    counted,
    published,
    registered: () => api.webhooks.get('some_account'),
    /** The methods of the requests. */
    calls: () => api.requests.map((request) => request.split(' ')[0]).join(' '),
  };
}

const OF_OLDER_RELEASE = { ServiceToken: 'token', subAccountId: 'some_account', url: URL_OF_OURS };

async function failure(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no failure',
    (error: Error) => error.message,
  );
}

/** The calls to 8x8, the webhooks afterwards, and the result or error message, for each event and state of 8x8. */
type Outcome = [
  title: string,
  event: CloudFormationCustomResourceEvent,
  circumstances: Circumstances,
  calls: string,
  after: object[],
  result: RegExp | 'success',
];

const OUTCOMES: readonly Outcome[] = [
  ['registers the webhook on creation', create(), {}, 'GET POST GET', [ours()], 'success'],
  [
    'replaces a leftover webhook of ours on creation',
    create(),
    { before: [vss(URL_OF_OURS)] },
    'GET POST GET',
    [ours()],
    'success',
  ],
  [
    'removes a leftover webhook of ours first if 8x8 rejects a second POST',
    create(),
    { before: [vss(URL_OF_OURS)], secondPost: 'refuse' },
    'GET POST GET DELETE GET POST GET',
    [ours()],
    'success',
  ],
  [
    'removes both webhooks and registers one again if 8x8 adds a second one',
    create(),
    { before: [vss(URL_OF_OURS)], secondPost: 'append' },
    'GET POST GET GET GET GET DELETE GET POST GET',
    [ours()],
    'success',
  ],
  [
    'fails on creation if a foreign webhook exists',
    create(),
    { before: [foreign] },
    'GET',
    [foreign],
    /delivers to .*elsewhere.* takeOver/,
  ],
  [
    'replaces a foreign webhook with takeOver',
    create(properties(1, { takeOver: 'true' })),
    { before: [foreign] },
    'GET POST GET',
    [ours()],
    'success',
  ],
  [
    'removes a foreign webhook first with takeOver if 8x8 rejects a second POST',
    create(properties(1, { takeOver: 'true' })),
    { before: [foreign], secondPost: 'refuse' },
    'GET POST GET DELETE GET POST GET',
    [ours()],
    'success',
  ],
  ['fails on creation if 8x8 answers the list with 401', create(), { faults: [401] }, 'GET', [], /HTTP 401/],
  [
    'fails on creation if 8x8 answers the POST with 422',
    create(),
    { faults: ['none', 422] },
    'GET POST GET',
    [],
    /HTTP 422/,
  ],
  [
    'undoes a creation if 8x8 answers the POST three times with 500',
    create(),
    { faults: ['none', 500, 500, 500] },
    'GET POST POST POST GET GET GET GET GET DELETE GET',
    [],
    /HTTP 500.*may still be registered/,
  ],
  [
    'succeeds if the response to the POST is lost and 8x8 rejects the retry',
    create(),
    { faults: ['none', 'dropped-after'], secondPost: 'refuse' },
    'GET POST POST GET',
    [ours()],
    'success',
  ],
  [
    'succeeds if the responses to all three POSTs are lost',
    create(),
    { faults: ['none', 'dropped-after', 'dropped-after', 'dropped-after'] },
    'GET POST POST POST GET',
    [ours()],
    'success',
  ],
  [
    'warns that the webhook may appear later if no POST is answered',
    create(),
    { faults: ['none', 'dropped-before', 'dropped-before', 'late'] },
    'GET POST POST POST GET GET GET GET GET DELETE GET',
    [],
    /other side closed.*may still be registered, or may appear shortly/,
  ],
  [
    'polls until 8x8 lists the new webhook',
    create(),
    { lag: 2 },
    'GET POST GET GET GET',
    [ours()],
    'success',
  ],
  [
    'undoes a creation if 8x8 does not list the new webhook in time',
    create(),
    { lag: 5 },
    'GET POST GET GET GET GET GET DELETE GET GET GET GET',
    [],
    /accepted the webhook, but 8x8 shows no VSS webhook/,
  ],
  [
    'accepts 201 as the response to the POST',
    create(),
    { success: 201 },
    'GET POST GET',
    [ours()],
    'success',
  ],
  [
    'keeps a leftover webhook of ours if 8x8 answers the POST three times with 500',
    create(),
    { before: [vss(URL_OF_OURS)], faults: ['none', 500, 500, 500] },
    'GET POST POST POST',
    [vss(URL_OF_OURS)],
    /HTTP 500/,
  ],
  [
    'undoes a creation that cannot be verified because of a 403',
    create(),
    { faults: ['none', 'none', 403] },
    'GET POST GET GET DELETE GET',
    [],
    /HTTP 403(?!.*may still be registered)/,
  ],
  [
    'reports that our webhook may still be registered if 8x8 is down after the POST',
    create(),
    { faults: ['none', 'dropped-after', ...Array<Fault>(9).fill(503)] },
    'GET POST POST POST GET GET GET GET GET GET',
    [ours()],
    /HTTP 503.*may still be registered.*https:\/\/connect\.8x8\.com\/webhooks/,
  ],
  [
    'replaces the Authorization value on an update',
    update(properties(1), properties(2)),
    { before: [ours(1)] },
    'GET POST GET',
    [ours(2)],
    'success',
  ],
  [
    'removes the webhook first on an update if 8x8 rejects a second POST',
    update(properties(1), properties(2)),
    { before: [ours(1)], secondPost: 'refuse' },
    'GET POST GET DELETE GET POST GET',
    [ours(2)],
    'success',
  ],
  [
    'keeps the webhook on an update if 8x8 answers the POST three times with 500',
    update(properties(1), properties(2)),
    { before: [ours(1)], faults: ['none', 500, 500, 500] },
    'GET POST POST POST',
    [ours(1)],
    /HTTP 500/,
  ],
  [
    'retries the DELETE on an update if its response is lost',
    update(properties(1), properties(2)),
    { before: [ours(1)], secondPost: 'refuse', faults: ['none', 'none', 'none', 'dropped-after'] },
    'GET POST GET DELETE DELETE GET POST GET',
    [ours(2)],
    'success',
  ],
  ...([400, 403, 409, 500] as const).map(
    (refusal): Outcome => [
      `removes the webhook first on an update if 8x8 rejects a second POST with ${refusal}`,
      update(properties(1), properties(2)),
      { before: [ours(1)], secondPost: 'refuse', refusal },
      refusal === 500 ? 'GET POST POST POST GET DELETE GET POST GET' : 'GET POST GET DELETE GET POST GET',
      [ours(2)],
      'success',
    ],
  ),
  [
    'keeps the webhook on an update if 8x8 rejects the POST for another reason',
    update(properties(1), properties(2)),
    { before: [ours(1)], secondPost: 'refuse', refusalMessage: 'Invalid param' },
    'GET POST',
    [ours(1)],
    /HTTP 422, "Invalid param".*is still registered; if 8x8 refuses because of that, remove it/,
  ],
  ...(['Sub-account does not exist', 'URL could not be resolved: no such host'] as const).map(
    (refusalMessage): Outcome => [
      `keeps the webhook on an update if 8x8 rejects the POST with "${refusalMessage}"`,
      update(properties(1), properties(2)),
      { before: [ours(1)], secondPost: 'refuse', refusalMessage },
      'GET POST',
      [ours(1)],
      /HTTP 422/,
    ],
  ),
  [
    'succeeds on a rollback if 8x8 rejects the POST for another reason',
    update(properties(2), properties(1)),
    {
      before: [ours(1)],
      secondPost: 'refuse',
      refusalMessage: 'Invalid param',
      status: 'UPDATE_ROLLBACK_IN_PROGRESS',
    },
    'GET POST',
    [ours(1)],
    'success',
  ],
  [
    'reports a removed webhook if an update fails after the DELETE',
    update(properties(1), properties(2)),
    { before: [ours(1)], secondPost: 'refuse', faults: ['none', 'none', 'none', 'none', 403] },
    'GET POST GET DELETE GET',
    [],
    /HTTP 403.*has been removed, or may have been: 8x8 delivers nowhere/,
  ],
  [
    'fails on a rollback if it fails after the DELETE',
    update(properties(2), properties(1)),
    {
      before: [ours(2)],
      secondPost: 'refuse',
      faults: ['none', 'none', 'none', 'none', 403],
      status: 'UPDATE_ROLLBACK_IN_PROGRESS',
    },
    'GET POST GET DELETE GET',
    [],
    /HTTP 403/,
  ],
  [
    'fails on a rollback if the DELETE is not answered and may take effect later',
    update(properties(2), properties(1)),
    {
      before: [ours(2)],
      secondPost: 'refuse',
      faults: ['none', 'none', 'none', 'late', 'late', 'late'],
      status: 'UPDATE_ROLLBACK_IN_PROGRESS',
    },
    'GET POST GET DELETE DELETE DELETE',
    [ours(2)],
    /may have been: 8x8 delivers nowhere/,
  ],
  [
    'fails on an update if 8x8 still lists the webhook after the DELETE',
    update(properties(1), properties(2)),
    { before: [ours(1)], secondPost: 'refuse', faults: ['none', 'none', 'none', 404] },
    'GET POST GET DELETE GET GET GET GET',
    [ours(1)],
    /should have removed the VSS webhook, but still shows.*or may have been/,
  ],
  [
    'reports that 8x8 delivers nowhere if it is down after the DELETE',
    update(properties(1), properties(2)),
    {
      before: [ours(1)],
      secondPost: 'refuse',
      faults: ['none', 'none', 'none', 'none', 'none', 503, 503, 503],
    },
    'GET POST GET DELETE GET POST POST POST GET GET GET GET',
    [],
    /HTTP 503.*has been removed, or may have been: 8x8 delivers nowhere until one is registered again/,
  ],
  [
    'fails on a rollback if 8x8 is down',
    update(properties(2), properties(1)),
    { faults: [503, 503, 503, 503, 503, 503], status: 'UPDATE_ROLLBACK_IN_PROGRESS' },
    'GET GET GET GET GET GET',
    [],
    /HTTP 503/,
  ],
  [
    'takes nothing over on a rollback, even if the previous template has takeOver',
    update(properties(1, { takeOver: 'false' }), properties(1, { takeOver: 'true' })),
    { before: [foreign], status: 'UPDATE_ROLLBACK_IN_PROGRESS' },
    'GET',
    [foreign],
    'success',
  ],
  [
    'registers the webhook if webhooksApiUrl changes',
    update(properties(1, { webhooksApiUrl: 'https://old.example' }), properties(1)),
    { before: [ours()] },
    'GET POST GET',
    [ours()],
    'success',
  ],
  [
    'fails on an update if the stack status cannot be read',
    update(properties(1), properties(2)),
    { before: [ours(1)], status: 'unknown' },
    '',
    [ours(1)],
    /no permission/,
  ],
  [
    'fails on an update if a foreign webhook exists',
    update(properties(1), properties(2)),
    { before: [foreign] },
    'GET',
    [foreign],
    /does not belong to this stack/,
  ],
  [
    'succeeds on a rollback and leaves a foreign webhook',
    update(properties(2), properties(1)),
    { before: [foreign], status: 'UPDATE_ROLLBACK_IN_PROGRESS' },
    'GET',
    [foreign],
    'success',
  ],
  [
    'succeeds on a rollback if 8x8 answers the list with 401',
    update(properties(2), properties(1)),
    { before: [ours(1)], faults: [401], status: 'UPDATE_ROLLBACK_IN_PROGRESS' },
    'GET',
    [ours(1)],
    'success',
  ],
  [
    'replaces the webhook of the previous URL',
    update(properties(1, { url: 'https://old.example/' }), properties(1)),
    { before: [vss('https://old.example', 'value 1')] },
    'GET POST GET',
    [ours()],
    'success',
  ],
  [
    'writes nothing if only onDelete changes and the webhook is correct',
    update(properties(), properties(1, { onDelete: 'keep' })),
    { before: [ours()] },
    'GET',
    [ours()],
    'success',
  ],
  [
    'enables a disabled webhook even if only onDelete changes',
    update(properties(), properties(1, { onDelete: 'keep' })),
    { before: [vss(URL_OF_OURS, 'value 1', false)] },
    'GET POST GET',
    [ours()],
    'success',
  ],
  [
    'registers the webhook again on an update without changes, which follows a failure',
    update(properties(), properties()),
    { before: [ours(2)] },
    'GET POST GET',
    [ours()],
    'success',
  ],
  ['removes the webhook on deletion', remove(), { before: [ours()] }, 'GET DELETE GET', [], 'success'],
  [
    'keeps the webhook on deletion with onDelete keep',
    remove(properties(1, { onDelete: 'keep' })),
    { before: [ours()] },
    '',
    [ours()],
    'success',
  ],
  [
    'removes the webhook when a creation is rolled back, even with onDelete keep',
    remove(properties(1, { onDelete: 'keep' })),
    { before: [ours()], status: 'ROLLBACK_IN_PROGRESS' },
    'GET DELETE GET',
    [],
    'success',
  ],
  [
    'removes the webhook of a former sub-account during the clean-up',
    remove(),
    { before: [ours()], status: 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', subAccountIds: ['another_account'] },
    'GET DELETE GET',
    [],
    'success',
  ],
  [
    'keeps the webhook during the clean-up if its sub-account has a new resource',
    remove(),
    { before: [ours()], status: 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS' },
    '',
    [ours()],
    'success',
  ],
  [
    'removes the webhook on deletion if the stack status cannot be read',
    remove(),
    { before: [ours()], status: 'unknown' },
    'GET DELETE GET',
    [],
    'success',
  ],
  [
    'removes the webhook of an older release on deletion',
    remove(OF_OLDER_RELEASE),
    { before: [ours()] },
    'GET DELETE GET',
    [],
    'success',
  ],
  ['leaves a foreign webhook on deletion', remove(), { before: [foreign] }, 'GET', [foreign], 'success'],
  [
    'leaves a foreign webhook on deletion, even with takeOver',
    remove(properties(1, { takeOver: 'true' })),
    { before: [foreign] },
    'GET',
    [foreign],
    'success',
  ],
  [
    'leaves both webhooks on deletion if one of them is foreign',
    remove(),
    { before: [ours(), foreign] },
    'GET',
    [ours(), foreign],
    'success',
  ],
  ['succeeds on deletion if no webhook exists', remove(), {}, 'GET', [], 'success'],
  [
    'succeeds on deletion if 8x8 answers the list with 401',
    remove(),
    { before: [ours()], faults: [401] },
    'GET',
    [ours()],
    'success',
  ],
  [
    'succeeds on deletion if 8x8 is down',
    remove(),
    { before: [ours()], faults: ['slow', 'slow', 'slow'] },
    'GET GET GET',
    [ours()],
    'success',
  ],
];

describe('the custom resource', () => {
  it.each(OUTCOMES)('%s', async (_, event, circumstances, expectedCalls, after, result) => {
    const { handle, calls, registered } = setUp(circumstances);

    if (result === 'success') expect(await handle(event)).toEqual({ PhysicalResourceId: PHYSICAL_ID });
    else expect(await failure(handle(event))).toMatch(result);
    expect(calls()).toBe(expectedCalls);
    expect(registered()).toEqual(after);
  });
});

describe('a foreign webhook', () => {
  it('is not changed, and the message has both URLs and the remedy', async () => {
    const before = [vss('https://user:password@elsewhere.example/vss?token=secret')];

    expect(await failure(setUp({ before }).handle(create()))).toBe(
      'Sub-account some_account: 8x8 delivers to https://elsewhere.example/vss?..., not to https://api.example/voice/webhooks/vss. ' +
        'That webhook does not belong to this stack, so it was not changed. Remove it at https://connect.8x8.com/webhooks, ' +
        'or set takeOver to true in the settings of this stage to replace it.',
    );
  });

  it('is logged when it is taken over', async () => {
    const { handle, logged } = setUp({ before: [foreign] });
    await handle(create(properties(1, { takeOver: 'true' })));

    expect(logged).toEqual([
      {
        level: 'warn',
        message: 'Took over the webhook of a sub-account',
        details: [{ subAccountId: 'some_account', url: URL_OF_OURS, replaced: [FOREIGN_URL] }],
      },
    ]);
  });

  it('is not changed if it appears between the first list and the second', async () => {
    const { api, handle, registered } = setUp({ before: [ours(1)], secondPost: 'refuse' });
    const { handle: handleRequest } = api;
    api.handle = async (request) => {
      if (request.method === 'POST') api.webhooks.set('some_account', [foreign]);
      return handleRequest.call(api, request);
    };

    expect(await failure(handle(update(properties(1), properties(2))))).toContain(
      'does not belong to this stack',
    );
    expect(registered()).toEqual([foreign]);
  });

  it('is logged when a rollback or a deletion leaves it', async () => {
    const rolledBack = setUp({ before: [foreign], status: 'UPDATE_ROLLBACK_IN_PROGRESS' });
    await rolledBack.handle(update(properties(2), properties(1)));
    const deleted = setUp({ before: [foreign] });
    await deleted.handle(remove());

    expect(rolledBack.logged).toMatchObject([{ level: 'error', message: 'Not restored at 8x8' }]);
    expect(deleted.logged).toEqual([
      {
        level: 'warn',
        message: 'Left the webhook of someone else',
        details: [{ subAccountId: 'some_account' }],
      },
    ]);
  });

  it('is named in the message when it was removed and the registration then fails', async () => {
    const { handle } = setUp({
      before: [foreign],
      secondPost: 'refuse',
      faults: [...Array<Fault>(5).fill('none'), 422],
    });

    expect(await failure(handle(create(properties(1, { takeOver: 'true' }))))).toContain(
      `The previous webhook, ${FOREIGN_URL}, has been removed, or may have been: 8x8 delivers nowhere`,
    );
  });
});

describe('a response to CloudFormation', () => {
  it('is smaller than 4 KB including what the provider framework adds, however long the texts of 8x8 are', async () => {
    const long = '"\u0007ü'.repeat(5_000);
    const before = ['a', 'b', 'c', 'd'].map((name) => vss(`https://${name}.example/${'x'.repeat(5_000)}`));
    const { handle } = setUp({ before, secondPost: 'refuse', refusalMessage: long });
    const error = await handle(create(properties(1, { takeOver: 'true' }))).then(
      () => new Error('no failure'),
      (failed: Error) => failed,
    );

    const frames = (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at '));
    const reason = [error.message, '', 'Logs: /aws/lambda/some-function-name', '', ...frames].join('\n');
    expect(Buffer.byteLength(JSON.stringify({ ...COMMON, Reason: reason }))).toBeLessThan(4_096);
    expect(error.message).toMatch(/^[\x20-\x7e]+$/);
  });

  it('is cut off if another service answers with a long one', async () => {
    const { logger, metrics } = telemetry();
    const handle = createHandler({
      connect: () => Promise.reject(new Error('not to be reached')),
      readSecret: () => Promise.reject(new Error('x'.repeat(5_000))),
      stackStatus: async () => 'CREATE_IN_PROGRESS',
      subAccountIds: [],
      logger,
      metrics,
    });

    await expect(handle(create())).rejects.toThrow(/^x{1900} \.\.\.$/);
  });
});

describe('a deletion', () => {
  it.each([
    ['the secret of the API key is deleted', { connect: () => Promise.reject(new Error('gone')) }, remove()],
    ['its properties are missing', {}, { ...remove(), ResourceProperties: { ServiceToken: 'token' } }],
  ])('succeeds and logs the remaining step when %s', async (_, changed, event) => {
    const { logger, metrics, logged } = telemetry();
    const handle = createHandler({
      connect: () => Promise.reject(new Error('not to be reached')),
      readSecret: () => Promise.reject(new Error('not to be read')),
      stackStatus: async () => 'DELETE_IN_PROGRESS',
      subAccountIds: [],
      logger,
      metrics,
      ...changed,
    });

    expect(await handle(event)).toEqual({ PhysicalResourceId: PHYSICAL_ID });
    expect(logged).toMatchObject([
      { level: 'error', message: 'A webhook may still be registered; remove it at 8x8' },
    ]);
  });

  it('removes the webhook if the stack deletes it by an id that CloudFormation made up, and returns that id', async () => {
    const { handle, registered } = setUp({ before: [ours()] });
    const event = remove(properties(), 'some-Registration-1XQ0ABCDEF');

    expect(await handle(event)).toEqual({ PhysicalResourceId: 'some-Registration-1XQ0ABCDEF' });
    expect(registered()).toEqual([]);
  });
});

describe('an update to another sub-account', () => {
  it('returns another physical id, so that CloudFormation deletes the old resource', async () => {
    const { handle, calls, registered } = setUp({ before: [ours()] });
    const event = update(properties(), properties(1, { subAccountId: 'another_account' }));

    expect(await handle(event)).toEqual({ PhysicalResourceId: '8x8-webhook/another_account/VSS' });
    expect(calls()).toBe('GET POST GET');
    expect(registered()).toEqual([ours()]);
  });

  it('leaves no webhook when it fails', async () => {
    const { api, handle } = setUp({ faults: ['none', 'none', 403] });
    const event = update(properties(), properties(1, { subAccountId: 'another_account' }));

    expect(await failure(handle(event))).toContain('HTTP 403');
    expect(api.webhooks.get('another_account')).toEqual([]);
  });
});

describe('the scheduled check', () => {
  const event = { check: { url: URL_OF_OURS, subAccountIds: ['some_account', 'another_account'] } };

  it('counts each sub-account, and returns and logs each problem', async () => {
    const { handle, counted, published, logged } = setUp({ before: [ours()] });

    expect(await handle(event)).toEqual([
      { subAccountId: 'some_account' },
      {
        subAccountId: 'another_account',
        problem: {
          finding: 'gone',
          description: `8x8 shows no VSS webhook; expected ${URL_OF_OURS}. Raise authorizationVersion by one and deploy: that registers it again.`,
        },
      },
    ]);
    expect(counted).toEqual({ WebhookRegistered: 1, WebhookUnchecked: 0 });
    expect(published).toHaveLength(1);
    expect(logged).toEqual([
      {
        level: 'error',
        message: 'The webhook is not registered as it should be',
        details: [
          {
            subAccountId: 'another_account',
            finding: 'gone',
            description: `8x8 shows no VSS webhook; expected ${URL_OF_OURS}. Raise authorizationVersion by one and deploy: that registers it again.`,
          },
        ],
      },
    ]);
  });

  it.each<[string, Circumstances, string]>([
    ['elsewhere', { before: [foreign] }, `8x8 delivers to ${FOREIGN_URL}; expected ${URL_OF_OURS}`],
    ['disabled', { before: [vss(URL_OF_OURS, 'a', false)] }, 'disabled; expected enabled'],
    [
      'no-authorization',
      { before: [vss(URL_OF_OURS, null)] },
      'without an Authorization header; expected with one',
    ],
    ['several', { before: [ours(), foreign] }, '8x8 shows 2 VSS webhooks'],
    ['key-refused', { faults: [401, 401] }, 'does not accept the API key'],
    ['access-refused', { faults: [403, 403] }, 'Check that the key belongs to the account'],
    ['unknown-subaccount', { faults: [404, 404] }, 'Check the spelling of some_account'],
    ['misconfigured', { faults: [405, 405] }, 'HTTP 405'],
    ['misconfigured', { faults: ['no-body', 'no-body'] }, 'did not return a valid list'],
  ])('returns the finding %s', async (finding, circumstances, description) => {
    const { handle, counted } = setUp(circumstances);

    expect(await handle(event)).toMatchObject([
      {
        subAccountId: 'some_account',
        problem: { finding, description: expect.stringContaining(description) },
      },
      { subAccountId: 'another_account' },
    ]);
    expect(counted).toEqual({ WebhookRegistered: 0, WebhookUnchecked: 0 });
  });

  it('counts only WebhookUnchecked when 8x8 fails, because that stops no delivery', async () => {
    const { handle, counted } = setUp({ before: [ours()], faults: [500, 500, 500, 500, 500, 500] });

    expect(await handle(event)).toMatchObject([
      { problem: { finding: 'not-checked' } },
      { problem: { finding: 'not-checked' } },
    ]);
    expect(counted).toEqual({ WebhookUnchecked: 2 });
  });

  it.each([
    ['not-checked', 'ThrottlingException'],
    ['not-checked', 'TimeoutError'],
    ['not-checked', 'DeadlineExceededError'],
    ['misconfigured', 'AccessDeniedException'],
  ])('returns the finding %s when reading the secret fails with a %s', async (finding, name) => {
    const { logger, metrics, counted } = telemetry();
    const cause = Object.assign(new Error('said AWS'), { name });
    const handle = createHandler({
      connect: () => Promise.reject(new Error('The secret cannot be read', { cause })),
      readSecret: async () => '',
      stackStatus: async () => '',
      subAccountIds: [],
      logger,
      metrics,
    });

    expect(await handle(event)).toMatchObject([{ problem: { finding } }, { problem: { finding } }]);
    expect(counted).toEqual(
      finding === 'not-checked' ? { WebhookUnchecked: 2 } : { WebhookUnchecked: 0, WebhookRegistered: 0 },
    );
  });

  it('rejects a malformed event', async () => {
    await expect(setUp().handle(JSON.parse('{"check":{}}'))).rejects.toThrow();
  });

  it('changes nothing', async () => {
    const { handle, calls } = setUp({ before: [foreign] });
    await handle(event);

    expect(calls()).toBe('GET GET');
  });
});
