import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { readApiKey } from '../../../functions/registration/api-key.ts';
import { createHandler } from '../../../functions/registration/create-handler.ts';
import { webhooksApi } from '../../../functions/registration/webhooks-api.ts';
import type { Fault, Switches } from '../../../infra/local/fake-8x8.ts';
import { telemetry } from '../telemetry.ts';
import { COMMON, create, PHYSICAL_ID, properties, remove, URL_OF_OURS, update } from './cloudformation.ts';
import { API_KEY, vendor } from './vendor.ts';

const FOREIGN_URL = 'https://elsewhere.example/vss';

const vss = (url: string, httpAuthHeader: string | null = 'other', enabled = true) => ({
  type: 'VSS',
  url,
  enabled,
  httpAuthHeader,
});

/** What 8x8 has after our registration of a version. */
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
  const { api, fetch, now, pause } = vendor(['some_account', 'another_account']);
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
    /** The requests made, by their methods. */
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

/**
 * What each request does, for what 8x8 has and does: the calls, what 8x8 has afterwards, and what is answered.
 * `refuse`: a second POST is refused; `replace`: it replaces; `append`: it adds.
 */
type Outcome = [
  request: string,
  event: CloudFormationCustomResourceEvent,
  circumstances: Circumstances,
  calls: string,
  after: object[],
  answer: RegExp | 'success',
];

const OUTCOMES: readonly Outcome[] = [
  ['create', create(), {}, 'GET POST GET', [ours()], 'success'],
  ['create, ours is left', create(), { before: [vss(URL_OF_OURS)] }, 'GET POST GET', [ours()], 'success'],
  [
    'create, ours is left, refuse',
    create(),
    { before: [vss(URL_OF_OURS)], secondPost: 'refuse' },
    'GET POST GET DELETE GET POST GET',
    [ours()],
    'success',
  ],
  [
    'create, ours is left, append',
    create(),
    { before: [vss(URL_OF_OURS)], secondPost: 'append' },
    'GET POST GET GET GET GET DELETE GET POST GET',
    [ours()],
    'success',
  ],
  [
    'create, foreign',
    create(),
    { before: [foreign] },
    'GET',
    [foreign],
    /delivers to .*elsewhere.* takeOver/,
  ],
  [
    'create, foreign, takeOver',
    create(properties(1, { takeOver: 'true' })),
    { before: [foreign] },
    'GET POST GET',
    [ours()],
    'success',
  ],
  [
    'create, foreign, takeOver, refuse',
    create(properties(1, { takeOver: 'true' })),
    { before: [foreign], secondPost: 'refuse' },
    'GET POST GET DELETE GET POST GET',
    [ours()],
    'success',
  ],
  ['create, 401 at the list', create(), { faults: [401] }, 'GET', [], /HTTP 401/],
  ['create, 422 at the POST', create(), { faults: ['none', 422] }, 'GET POST GET', [], /HTTP 422/],
  [
    'create, 500 at the POST, thrice',
    create(),
    { faults: ['none', 500, 500, 500] },
    'GET POST POST POST GET GET GET GET GET DELETE GET',
    [],
    /HTTP 500.*may still be registered/,
  ],
  [
    'create, POST arrives and its answer is lost, refuse',
    create(),
    { faults: ['none', 'dropped-after'], secondPost: 'refuse' },
    'GET POST POST GET',
    [ours()],
    'success',
  ],
  [
    'create, POST arrives and its answer is lost, thrice',
    create(),
    { faults: ['none', 'dropped-after', 'dropped-after', 'dropped-after'] },
    'GET POST POST POST GET',
    [ours()],
    'success',
  ],
  [
    'create, POST has no answer, and arrives after everything',
    create(),
    { faults: ['none', 'dropped-before', 'dropped-before', 'late'] },
    'GET POST POST POST GET GET GET GET GET DELETE GET',
    [],
    /other side closed.*may still be registered, or may appear shortly/,
  ],
  ['create, 8x8 shows it later', create(), { lag: 2 }, 'GET POST GET GET GET', [ours()], 'success'],
  [
    'create, 8x8 shows it too late',
    create(),
    { lag: 5 },
    'GET POST GET GET GET GET GET DELETE GET GET GET GET',
    [],
    /accepted the webhook, but 8x8 shows no VSS webhook/,
  ],
  ['create, answered 201', create(), { success: 201 }, 'GET POST GET', [ours()], 'success'],
  [
    'create, ours is left, 500 at the POST, thrice',
    create(),
    { before: [vss(URL_OF_OURS)], faults: ['none', 500, 500, 500] },
    'GET POST POST POST',
    [vss(URL_OF_OURS)],
    /HTTP 500/,
  ],
  [
    'create, 403 when made sure of',
    create(),
    { faults: ['none', 'none', 403] },
    'GET POST GET GET DELETE GET',
    [],
    /HTTP 403/,
  ],
  [
    'create, 8x8 is down from the POST on',
    create(),
    { faults: ['none', 'dropped-after', ...Array<Fault>(9).fill(503)] },
    'GET POST POST POST GET GET GET GET GET GET',
    [ours()],
    /HTTP 503.*may still be registered.*https:\/\/connect\.8x8\.com\/webhooks/,
  ],
  [
    'rotate',
    update(properties(1), properties(2)),
    { before: [ours(1)] },
    'GET POST GET',
    [ours(2)],
    'success',
  ],
  [
    'rotate, refuse',
    update(properties(1), properties(2)),
    { before: [ours(1)], secondPost: 'refuse' },
    'GET POST GET DELETE GET POST GET',
    [ours(2)],
    'success',
  ],
  [
    'rotate, 500 at the POST, thrice',
    update(properties(1), properties(2)),
    { before: [ours(1)], faults: ['none', 500, 500, 500] },
    'GET POST POST POST',
    [ours(1)],
    /HTTP 500/,
  ],
  [
    'rotate, refuse, answer of the DELETE lost',
    update(properties(1), properties(2)),
    { before: [ours(1)], secondPost: 'refuse', faults: ['none', 'none', 'none', 'dropped-after'] },
    'GET POST GET DELETE DELETE GET POST GET',
    [ours(2)],
    'success',
  ],
  ...([400, 403, 409, 500] as const).map(
    (refusal): Outcome => [
      `rotate, refuse with ${refusal}`,
      update(properties(1), properties(2)),
      { before: [ours(1)], secondPost: 'refuse', refusal },
      refusal === 500 ? 'GET POST POST POST GET DELETE GET POST GET' : 'GET POST GET DELETE GET POST GET',
      [ours(2)],
      'success',
    ],
  ),
  [
    'rotate, refuse for another reason: what works is kept',
    update(properties(1), properties(2)),
    { before: [ours(1)], secondPost: 'refuse', refusalMessage: 'Invalid param' },
    'GET POST',
    [ours(1)],
    /HTTP 422, "Invalid param".*is still registered; if 8x8 refuses because of that, remove it/,
  ],
  ...(['Sub-account does not exist', 'URL could not be resolved: no such host'] as const).map(
    (refusalMessage): Outcome => [
      `rotate, refuse because "${refusalMessage}"`,
      update(properties(1), properties(2)),
      { before: [ours(1)], secondPost: 'refuse', refusalMessage },
      'GET POST',
      [ours(1)],
      /HTTP 422/,
    ],
  ),
  [
    'rolled back, refuse for another reason',
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
    'rotate, refuse, the DELETE works and the list after it does not',
    update(properties(1), properties(2)),
    { before: [ours(1)], secondPost: 'refuse', faults: ['none', 'none', 'none', 'none', 403] },
    'GET POST GET DELETE GET',
    [],
    /HTTP 403.*has been removed, or may have been: 8x8 delivers nowhere/,
  ],
  [
    'rolled back, refuse, the DELETE works and the list after it does not',
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
    'rolled back, refuse, the DELETE has no answer and may work later',
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
    'rotate, refuse, and the DELETE has no effect',
    update(properties(1), properties(2)),
    { before: [ours(1)], secondPost: 'refuse', faults: ['none', 'none', 'none', 404] },
    'GET POST GET DELETE GET GET GET GET',
    [ours(1)],
    /should have removed the VSS webhook, but still shows.*or may have been/,
  ],
  [
    'rotate, refuse, and down after the DELETE',
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
    'rolled back, nothing left, 8x8 is down',
    update(properties(2), properties(1)),
    { faults: [503, 503, 503, 503, 503, 503], status: 'UPDATE_ROLLBACK_IN_PROGRESS' },
    'GET GET GET GET GET GET',
    [],
    /HTTP 503/,
  ],
  [
    'rolled back from a refusal, to a template with takeOver',
    update(properties(1, { takeOver: 'false' }), properties(1, { takeOver: 'true' })),
    { before: [foreign], status: 'UPDATE_ROLLBACK_IN_PROGRESS' },
    'GET',
    [foreign],
    'success',
  ],
  [
    'another address of 8x8',
    update(properties(1, { webhooksApiUrl: 'https://old.example' }), properties(1)),
    { before: [] },
    'GET POST GET',
    [ours()],
    'success',
  ],
  [
    'update, what CloudFormation is doing is not known',
    update(properties(1), properties(2)),
    { before: [ours(1)], status: 'unknown' },
    '',
    [ours(1)],
    /no permission/,
  ],
  [
    'rotate, foreign',
    update(properties(1), properties(2)),
    { before: [foreign] },
    'GET',
    [foreign],
    /does not belong to this stack/,
  ],
  [
    'rolled back, foreign',
    update(properties(2), properties(1)),
    { before: [foreign], status: 'UPDATE_ROLLBACK_IN_PROGRESS' },
    'GET',
    [foreign],
    'success',
  ],
  [
    'rolled back, 401 at the list',
    update(properties(2), properties(1)),
    { before: [ours(1)], faults: [401], status: 'UPDATE_ROLLBACK_IN_PROGRESS' },
    'GET',
    [ours(1)],
    'success',
  ],
  [
    'another URL',
    update(properties(1, { url: 'https://old.example/' }), properties(1)),
    { before: [vss('https://old.example', 'value 1')] },
    'GET POST GET',
    [ours()],
    'success',
  ],
  [
    'another setting, nothing wrong',
    update(properties(), properties(1, { onDelete: 'keep' })),
    { before: [ours()] },
    'GET',
    [ours()],
    'success',
  ],
  [
    'another setting, but disabled',
    update(properties(), properties(1, { onDelete: 'keep' })),
    { before: [vss(URL_OF_OURS, 'value 1', false)] },
    'GET POST GET',
    [ours()],
    'success',
  ],
  [
    'no difference, after a failure',
    update(properties(), properties()),
    { before: [ours(2)] },
    'GET POST GET',
    [ours()],
    'success',
  ],
  ['delete', remove(), { before: [ours()] }, 'GET DELETE GET', [], 'success'],
  [
    'delete, keep',
    remove(properties(1, { onDelete: 'keep' })),
    { before: [ours()] },
    '',
    [ours()],
    'success',
  ],
  [
    'delete, keep, but of a creation that is rolled back',
    remove(properties(1, { onDelete: 'keep' })),
    { before: [ours()], status: 'ROLLBACK_IN_PROGRESS' },
    'GET DELETE GET',
    [],
    'success',
  ],
  [
    'delete, clean-up of a sub-account that is no more',
    remove(),
    { before: [ours()], status: 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', subAccountIds: ['another_account'] },
    'GET DELETE GET',
    [],
    'success',
  ],
  [
    'delete, clean-up of a sub-account that has another resource now',
    remove(),
    { before: [ours()], status: 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS' },
    '',
    [ours()],
    'success',
  ],
  [
    'delete, what CloudFormation is doing is not known',
    remove(),
    { before: [ours()], status: 'unknown' },
    'GET DELETE GET',
    [],
    'success',
  ],
  [
    'delete, of an older release',
    remove(OF_OLDER_RELEASE),
    { before: [ours()] },
    'GET DELETE GET',
    [],
    'success',
  ],
  ['delete, foreign', remove(), { before: [foreign] }, 'GET', [foreign], 'success'],
  [
    'delete, foreign, takeOver',
    remove(properties(1, { takeOver: 'true' })),
    { before: [foreign] },
    'GET',
    [foreign],
    'success',
  ],
  [
    'delete, foreign beside ours',
    remove(),
    { before: [ours(), foreign] },
    'GET',
    [ours(), foreign],
    'success',
  ],
  ['delete, nothing there', remove(), {}, 'GET', [], 'success'],
  ['delete, 401 at the list', remove(), { before: [ours()], faults: [401] }, 'GET', [ours()], 'success'],
  [
    'delete, 8x8 is down',
    remove(),
    { before: [ours()], faults: ['slow', 'slow', 'slow'] },
    'GET GET GET',
    [ours()],
    'success',
  ],
];

describe('CloudFormation asks to', () => {
  it.each(OUTCOMES)('%s', async (_, event, circumstances, calls, after, answer) => {
    const there = setUp(circumstances);

    if (answer === 'success') expect(await there.handle(event)).toEqual({ PhysicalResourceId: PHYSICAL_ID });
    else expect(await failure(there.handle(event))).toMatch(answer);
    expect(there.calls()).toBe(calls);
    expect(there.registered()).toEqual(after);
  });
});

describe('a webhook of someone else', () => {
  it('is left alone, in a message that says whose is where and what to do', async () => {
    const before = [vss('https://user:password@elsewhere.example/vss?token=secret')];

    expect(await failure(setUp({ before }).handle(create()))).toBe(
      'Sub-account some_account: 8x8 delivers to https://elsewhere.example/vss?..., not to https://api.example/voice/webhooks/vss. ' +
        'That webhook does not belong to this stack, so it was not changed. Remove it at https://connect.8x8.com/webhooks, ' +
        'or set takeOver to true in the settings of this stage to replace it.',
    );
  });

  it('that is taken over is reported', async () => {
    const there = setUp({ before: [foreign] });
    await there.handle(create(properties(1, { takeOver: 'true' })));

    expect(there.logged).toEqual([
      {
        level: 'warn',
        message: 'Took over the webhook of a sub-account',
        details: [{ subAccountId: 'some_account', url: URL_OF_OURS, replaced: [FOREIGN_URL] }],
      },
    ]);
  });

  it('that comes between the first look and the next is left alone too', async () => {
    const there = setUp({ before: [ours(1)], secondPost: 'refuse' });
    const { handle } = there.api;
    there.api.handle = async (request) => {
      if (request.method === 'POST') there.api.webhooks.set('some_account', [foreign]);
      return handle.call(there.api, request);
    };

    expect(await failure(there.handle(update(properties(1), properties(2))))).toContain(
      'does not belong to this stack',
    );
    expect(there.registered()).toEqual([foreign]);
  });

  it('that is left at a rollback, or a deletion, is logged', async () => {
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

  it('that was replaced in vain is named in the message', async () => {
    const there = setUp({
      before: [foreign],
      secondPost: 'refuse',
      faults: [...Array<Fault>(5).fill('none'), 422],
    });

    expect(await failure(there.handle(create(properties(1, { takeOver: 'true' }))))).toContain(
      `The previous webhook, ${FOREIGN_URL}, has been removed, or may have been: 8x8 delivers nowhere`,
    );
  });
});

describe('an answer to CloudFormation', () => {
  it('has less than 4 KB with all that the provider framework adds, whatever 8x8 says', async () => {
    const long = '"\u0007ü'.repeat(5_000);
    const before = ['a', 'b', 'c', 'd'].map((name) => vss(`https://${name}.example/${'x'.repeat(5_000)}`));
    const there = setUp({ before, secondPost: 'refuse', refusalMessage: long });
    const error = await there.handle(create(properties(1, { takeOver: 'true' }))).then(
      () => new Error('no failure'),
      (failed: Error) => failed,
    );

    const frames = (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at '));
    const reason = [error.message, '', 'Logs: /aws/lambda/some-function-name', '', ...frames].join('\n');
    expect(Buffer.byteLength(JSON.stringify({ ...COMMON, Reason: reason }))).toBeLessThan(4_096);
    expect(error.message).toMatch(/^[\x20-\x7e]+$/);
  });
});

describe('a deletion', () => {
  it.each([
    ['the secret of the API key is gone', { connect: () => Promise.reject(new Error('gone')) }, remove()],
    ['its properties are not known', {}, { ...remove(), ResourceProperties: { ServiceToken: 'token' } }],
  ])('succeeds when %s, and the log says what is left to do', async (_, changed, event) => {
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

  it('of another physical id touches nothing', async () => {
    const there = setUp({ before: [ours()] });
    await there.handle(remove(properties(), '8x8-webhook/other_account/VSS'));

    expect(there.calls()).toBe('');
  });
});

describe('a sub-account that becomes another', () => {
  it('is a replacement: another physical id, so that CloudFormation deletes the old one', async () => {
    const there = setUp({ before: [ours()] });
    const event = update(properties(), properties(1, { subAccountId: 'another_account' }));

    expect(await there.handle(event)).toEqual({ PhysicalResourceId: '8x8-webhook/another_account/VSS' });
    expect(there.calls()).toBe('GET POST GET');
    expect(there.registered()).toEqual([ours()]);
  });

  it('leaves nothing behind when it fails', async () => {
    const there = setUp({ faults: ['none', 'none', 403] });
    const event = update(properties(), properties(1, { subAccountId: 'another_account' }));

    expect(await failure(there.handle(event))).toContain('HTTP 403');
    expect(there.api.webhooks.get('another_account')).toEqual([]);
  });
});

describe('the check', () => {
  const event = { check: { url: URL_OF_OURS, subAccountIds: ['some_account', 'another_account'] } };

  it('counts each sub-account, and says what is wrong', async () => {
    const there = setUp({ before: [ours()] });

    expect(await there.handle(event)).toEqual([
      { subAccountId: 'some_account' },
      {
        subAccountId: 'another_account',
        problem: {
          finding: 'gone',
          description: `8x8 shows no VSS webhook; expected ${URL_OF_OURS}. Raise authorizationVersion by one and deploy: that registers it again.`,
        },
      },
    ]);
    expect(there.counted).toEqual({ WebhookRegistered: 1, WebhookUnchecked: 0 });
    expect(there.published).toHaveLength(1);
    expect(there.logged).toEqual([
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
  ])('finds %s', async (finding, circumstances, description) => {
    const there = setUp(circumstances);

    expect(await there.handle(event)).toMatchObject([
      {
        subAccountId: 'some_account',
        problem: { finding, description: expect.stringContaining(description) },
      },
      { subAccountId: 'another_account' },
    ]);
    expect(there.counted).toEqual({ WebhookRegistered: 0, WebhookUnchecked: 0 });
  });

  it('counts nothing where 8x8 could not be asked: that stops no delivery', async () => {
    const there = setUp({ before: [ours()], faults: [500, 500, 500, 500, 500, 500] });

    expect(await there.handle(event)).toMatchObject([
      { problem: { finding: 'not-checked' } },
      { problem: { finding: 'not-checked' } },
    ]);
    expect(there.counted).toEqual({ WebhookUnchecked: 2 });
  });

  it.each([
    ['not-checked', 'ThrottlingException'],
    ['not-checked', 'TimeoutError'],
    ['misconfigured', 'AccessDeniedException'],
  ])('finds %s when the secret cannot be read because of %s', async (finding, name) => {
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

  it('is refused if it asks for something else', async () => {
    await expect(setUp().handle(JSON.parse('{"check":{}}'))).rejects.toThrow();
  });

  it('changes nothing', async () => {
    const there = setUp({ before: [foreign] });
    await there.handle(event);

    expect(there.calls()).toBe('GET GET');
  });
});

describe('the API key', () => {
  it('is the text of its secret, without what editors add around it', () => {
    expect(readApiKey('name', ' abc.DEF-123_~+/==\n')).toBe('abc.DEF-123_~+/==');
  });

  it.each(['{"apiKey":"abc"}', '"abc"', 'Bearer abc', ''])(
    'is refused as %j, without repeating it',
    (text) => {
      expect(() => readApiKey('some/name', text)).toThrow(
        'The secret some/name does not contain an API key: expected the key from https://connect.8x8.com as plain text',
      );
    },
  );
});
