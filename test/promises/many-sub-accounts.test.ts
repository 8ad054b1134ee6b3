import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createHandler } from '../../functions/registration/create-handler.ts';
import { webhooksApi } from '../../functions/registration/webhooks-api.ts';
import type { Switches } from '../../infra/local/fake-8x8/switches.ts';
import { create, properties, URL_OF_OURS } from '../functions/registration/cloudformation.ts';
import { API_KEY, inMemory8x8 } from '../functions/registration/in-memory-8x8.ts';
import { telemetry } from '../functions/telemetry.ts';
import { templateOf } from '../infra/templates.ts';

/**
 * The promise to the platform team: a stage can have up to 100 sub-accounts, and 8x8's rate limit fails neither its
 * deployment nor the scheduled check.
 *
 * What could break it: registering or checking all sub-accounts at once, giving up after a few attempts, and ignoring
 * or misreading Retry-After. As in CloudFormation, each registration starts when the registrations that it depends on
 * in the template are complete. Time is virtual.
 */

const LATENCY_MS = 100;
/** The time that CloudFormation and the provider framework need for a resource, besides our function. */
const RESOURCE_MS = 1_500;

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** Advances the virtual clock from timer to timer until the work is done. */
async function inVirtualTime<T>(work: Promise<T>): Promise<{ result: T; seconds: number }> {
  const began = performance.now();
  let isDone = false;
  const settled = work.finally(() => {
    isDone = true;
  });
  settled.catch(() => {});
  while (!isDone) {
    // The streams and promises of a request advance without timers.
    for (let i = 0; i < 5; i++) await new Promise(setImmediate);
    if (!isDone) vi.advanceTimersToNextTimer();
  }
  return { result: await settled, seconds: (performance.now() - began) / 1_000 };
}

function setUp(count: number, rateLimit: Switches['rateLimit']) {
  const subAccountIds = Array.from({ length: count }, (_, i) => `sub_account_${i}`);
  const { api, fetch } = inMemory8x8(subAccountIds);
  api.switches.rateLimit = rateLimit;
  const { logger, metrics, counted } = telemetry();
  /** The times of the requests, in milliseconds of the virtual clock. */
  const sentAt: number[] = [];
  const handle = createHandler({
    connect: async (retryMs, baseUrl = 'https://voice.example') =>
      webhooksApi({
        baseUrl,
        retryMs,
        apiKey: API_KEY,
        fetch: (...request) => {
          sentAt.push(performance.now());
          return pause(LATENCY_MS).then(() => fetch(...request));
        },
        pause,
      }),
    readSecret: async (arn) => `value ${arn}`,
    stackStatus: async () => 'CREATE_IN_PROGRESS',
    subAccountIds,
    logger,
    metrics,
  });
  return { subAccountIds, api, handle, counted, sentAt };
}

/** Creates the registrations of a template as CloudFormation does: each after its dependencies. */
async function deploy({ subAccountIds, handle }: ReturnType<typeof setUp>): Promise<void> {
  const resources = templateOf({ subAccountIds }).findResources('Custom::WebhookRegistration');
  const created = new Map<string, Promise<void>>();
  const createOnce = (id: string): Promise<void> => {
    const creation = created.get(id) ?? createAfterOthers(id);
    created.set(id, creation);
    return creation;
  };
  async function createAfterOthers(id: string): Promise<void> {
    const { DependsOn = [], Properties: { subAccountId = '' } = {} } = resources[id] ?? {};
    await Promise.all(
      [DependsOn]
        .flat()
        .filter((other) => other in resources)
        .map(createOnce),
    );
    await pause(RESOURCE_MS);
    await handle(create(properties(1, { subAccountId })));
  }
  await Promise.all(Object.keys(resources).map(createOnce));
}

/** The maximum number of requests within any second. */
function peakPerSecond(sentAt: readonly number[]): number {
  return Math.max(...sentAt.map((from) => sentAt.filter((at) => at >= from && at < from + 1_000).length));
}

const TEN_A_SECOND = { perSecond: 10, retryAfter: '1' };

describe('a deployment', () => {
  it.each<[number, NonNullable<Switches['rateLimit']>]>([
    [100, TEN_A_SECOND],
    [100, { perSecond: 10 }],
    [100, { perSecond: 50 }],
    [20, { perSecond: 10 }],
    [100, { perSecond: 2, retryAfter: '1.5' }],
    [10, { perSecond: 2, retryAfter: '30' }],
  ])('of %i sub-accounts succeeds under the rate limit %j', async (count, rateLimit) => {
    const stage = setUp(count, rateLimit);
    const { seconds } = await inVirtualTime(deploy(stage));

    for (const id of stage.subAccountIds)
      expect(stage.api.webhooks.get(id)).toMatchObject([{ url: URL_OF_OURS }]);
    expect(seconds).toBeLessThan(30 * 60);
  });

  it('sends at most eight requests per second', async () => {
    const stage = setUp(30, undefined);
    await inVirtualTime(deploy(stage));

    expect(peakPerSecond(stage.sentAt)).toBeLessThanOrEqual(8);
  });

  it('runs at most two registrations at the same time', async () => {
    const stage = setUp(100, undefined);
    let running = 0;
    let most = 0;
    const { handle } = stage;
    const counting: typeof handle = async (event) => {
      most = Math.max(most, ++running);
      return handle(event).finally(() => running--);
    };
    await inVirtualTime(deploy({ ...stage, handle: counting }));

    expect(most).toBe(2);
  });
});

describe('the scheduled check', () => {
  it.each<NonNullable<Switches['rateLimit']>>([
    TEN_A_SECOND,
    { perSecond: 10 },
    { perSecond: 2, retryAfter: '1' },
  ])('checks all of 100 sub-accounts under the rate limit %j', async (rateLimit) => {
    const stage = setUp(100, rateLimit);
    for (const id of stage.subAccountIds)
      stage.api.webhooks.set(id, [{ type: 'VSS', url: URL_OF_OURS, enabled: true, httpAuthHeader: 'value' }]);
    const check = { url: URL_OF_OURS, subAccountIds: stage.subAccountIds };
    const { result, seconds } = await inVirtualTime(stage.handle({ check }));

    expect(result).toEqual(stage.subAccountIds.map((subAccountId) => ({ subAccountId })));
    expect(stage.counted).toEqual({ WebhookRegistered: 100, WebhookUnchecked: 0 });
    expect(seconds).toBeLessThan(5 * 60);
    expect(peakPerSecond(stage.sentAt)).toBeLessThanOrEqual(5);
  });
});
