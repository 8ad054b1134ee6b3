import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createHandler } from '../../functions/registration/create-handler.ts';
import { webhooksApi } from '../../functions/registration/webhooks-api.ts';
import type { Switches } from '../../infra/local/fake-8x8.ts';
import { create, properties, URL_OF_OURS } from '../functions/registration/cloudformation.ts';
import { API_KEY, vendor } from '../functions/registration/vendor.ts';
import { telemetry } from '../functions/telemetry.ts';
import { templateOf } from '../infra/templates.ts';

/**
 * Promised to the platform team: a stage has up to 100 sub-accounts, and 8x8's rate limit fails neither its deployment
 * nor the scheduled check.
 *
 * It would be broken by registering or checking all at once, by giving up after a few attempts, and by ignoring or
 * mistaking Retry-After. CloudFormation starts each registration when those are complete that the template says it
 * depends on. Minutes pass on a virtual clock.
 */

const LATENCY_MS = 100;
/** What CloudFormation and the provider framework take for a resource, beside our function. */
const RESOURCE_MS = 1_500;

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** Lets the virtual clock jump from timer to timer until the work is done. */
async function inVirtualTime<T>(work: Promise<T>): Promise<{ result: T; seconds: number }> {
  const began = performance.now();
  let isDone = false;
  const settled = work.finally(() => {
    isDone = true;
  });
  settled.catch(() => {});
  while (!isDone) {
    // Streams and promises of a request go on without timers.
    for (let i = 0; i < 5; i++) await new Promise(setImmediate);
    if (!isDone) vi.advanceTimersToNextTimer();
  }
  return { result: await settled, seconds: (performance.now() - began) / 1_000 };
}

function stage(count: number, rateLimit: Switches['rateLimit']) {
  const subAccountIds = Array.from({ length: count }, (_, i) => `sub_account_${i}`);
  const { api, fetch } = vendor(subAccountIds);
  api.switches.rateLimit = rateLimit;
  const { logger, metrics, counted } = telemetry();
  /** When each request was sent: milliseconds of the virtual clock. */
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

/** Creates the registrations of a template as CloudFormation does: each after those that it depends on. */
async function deploy({ subAccountIds, handle }: ReturnType<typeof stage>): Promise<void> {
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

/** The most requests that were sent within any second. */
function mostPerSecond(sentAt: readonly number[]): number {
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
    const there = stage(count, rateLimit);
    const { seconds } = await inVirtualTime(deploy(there));

    for (const id of there.subAccountIds)
      expect(there.api.webhooks.get(id)).toMatchObject([{ url: URL_OF_OURS }]);
    expect(seconds).toBeLessThan(30 * 60);
  });

  it('sends at most eight requests a second', async () => {
    const there = stage(30, undefined);
    await inVirtualTime(deploy(there));

    expect(mostPerSecond(there.sentAt)).toBeLessThanOrEqual(8);
  });

  it('never has more than two registrations at a time', async () => {
    const there = stage(100, undefined);
    let running = 0;
    let most = 0;
    const { handle } = there;
    const counting: typeof handle = async (event) => {
      most = Math.max(most, ++running);
      return handle(event).finally(() => running--);
    };
    await inVirtualTime(deploy({ ...there, handle: counting }));

    expect(most).toBe(2);
  });
});

describe('the check', () => {
  it.each<NonNullable<Switches['rateLimit']>>([
    TEN_A_SECOND,
    { perSecond: 10 },
    { perSecond: 2, retryAfter: '1' },
  ])('of 100 sub-accounts leaves none unchecked under the rate limit %j', async (rateLimit) => {
    const there = stage(100, rateLimit);
    for (const id of there.subAccountIds)
      there.api.webhooks.set(id, [{ type: 'VSS', url: URL_OF_OURS, enabled: true, httpAuthHeader: 'value' }]);
    const check = { url: URL_OF_OURS, subAccountIds: there.subAccountIds };
    const { result, seconds } = await inVirtualTime(there.handle({ check }));

    expect(result).toEqual(there.subAccountIds.map((subAccountId) => ({ subAccountId })));
    expect(there.counted).toEqual({ WebhookRegistered: 100, WebhookUnchecked: 0 });
    expect(seconds).toBeLessThan(5 * 60);
    expect(mostPerSecond(there.sentAt)).toBeLessThanOrEqual(5);
  });
});
