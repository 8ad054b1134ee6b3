import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { createHandler } from '../../../functions/registration/create-handler.ts';
import { isSameUrl } from '../../../functions/registration/finding.ts';
import { webhooksApi } from '../../../functions/registration/webhooks-api.ts';
import type { Fault, Switches } from '../../../infra/local/fake-8x8/switches.ts';
import type { RegisteredWebhook } from '../../../infra/local/fake-8x8/webhooks-api.ts';
import { telemetry } from '../telemetry.ts';
import { StackModel, type Trouble } from './cloudformation.ts';
import { API_KEY, inMemory8x8 } from './in-memory-8x8.ts';

/**
 * Checks invariants for random sequences of operations, behaviours of 8x8 and faults: a foreign webhook is never changed
 * without takeOver. There are never two webhooks. After a success, 8x8 has what the template specifies, and after a
 * rollback, what it had before. A stack can always be deleted. No message contains a secret.
 */
const numRuns = Number(process.env['PROPERTY_RUNS'] ?? 300);

const ACCOUNT = 'some.account&1';
const OTHER_TYPE = {
  type: 'VCA',
  url: 'https://elsewhere.example/vca',
  enabled: true,
  httpAuthHeader: 'vca',
};
const FOREIGN = { type: 'VSS', url: 'https://elsewhere.example/vss?token=foreign', enabled: true };

const fault = fc.constantFrom<Fault>(
  'none',
  'dropped-before',
  'dropped-after',
  'late',
  'slow',
  'no-body',
  'echo',
  401,
  403,
  404,
  422,
  429,
  500,
  503,
);
/** Mostly single faults among calls that succeed; sometimes a long outage. */
const faults = fc.oneof(
  fc.constant<Fault[]>([]),
  fc.array(fc.oneof({ weight: 3, arbitrary: fc.constant<Fault>('none') }, fault), { maxLength: 12 }),
  fc
    .tuple(fc.nat(6), fault)
    .map(([calls, outage]) => [...Array<Fault>(calls).fill('none'), ...Array<Fault>(9).fill(outage)]),
);

const template = fc.record({
  version: fc.integer({ min: 1, max: 3 }),
  url: fc.constantFrom('https://api.example/a', 'https://api.example/b'),
  takeOver: fc.boolean(),
  onDelete: fc.constantFrom('remove', 'keep'),
});

const trouble = fc.constantFrom<Trouble>(
  'none',
  'none',
  'fails-elsewhere',
  'given-up',
  'deleted-meanwhile',
  'twice',
);

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ deploy: template, trouble, faults }) },
  { weight: 1, arbitrary: fc.record({ destroy: fc.constant(true), faults }) },
  { weight: 2, arbitrary: fc.record({ somebody: fc.constantFrom('takes-over', 'disables', 'removes') }) },
);

const scenario = fc.record({
  vendor: fc
    .record<Omit<Switches, 'faults' | 'stays' | 'lose' | 'logExport'>>({
      secondPost: fc.constantFrom('replace', 'refuse', 'append'),
      refusal: fc.constantFrom(400, 403, 409, 422, 500),
      refusalMessage: fc.constantFrom(
        'Webhook exists already',
        'Invalid param',
        `duplicate ${'"'.repeat(5_000)}`,
      ),
      success: fc.constantFrom(200, 201),
      lag: fc.nat(3),
      deleteOfNothing: fc.constantFrom(200, 404),
      emptyList: fc.constantFrom('empty', 'null', 'missing'),
      stateName: fc.constantFrom('enabled', 'active'),
    })
    // With a lag, the second of two equal webhooks cannot be told from a stale entry in the list.
    .map((switches) => ({ ...switches, lag: switches.secondPost === 'append' ? 0 : switches.lag })),
  initially: fc.constantFrom<RegisteredWebhook[]>(
    [],
    [{ ...FOREIGN, httpAuthHeader: 'foreign' }],
    [{ ...FOREIGN, httpAuthHeader: null }],
    [{ type: 'VSS', url: 'https://api.example/a', enabled: true, httpAuthHeader: 'left by another stack' }],
    [{ type: 'VSS', url: 'HTTPS://API.example:443/b', enabled: false, httpAuthHeader: null }],
  ),
  rollsBackFailedUpdate: fc.boolean(),
  steps: fc.array(step, { minLength: 1, maxLength: 8 }),
});

const secretArn = (version: number) =>
  `arn:aws:secretsmanager:us-east-1:000000000000:secret:Version${version}`;
const authorizationIn = (arn: string) => `authorization-${arn.slice(-8)}-0123456789`;
const isForeign = ({ url }: RegisteredWebhook) => url === FOREIGN.url;

type Valued<A> = A extends fc.Arbitrary<infer T> ? T : never;
type Template = Valued<typeof template>;
type Scenario = Valued<typeof scenario>;

function setUp({ vendor: switches, initially, rollsBackFailedUpdate }: Omit<Scenario, 'steps'>) {
  const { api, fetch, now, pause } = inMemory8x8([ACCOUNT]);
  const { logger, metrics, logged } = telemetry();
  Object.assign(api.switches, switches);
  api.webhooks.set(ACCOUNT, [OTHER_TYPE, ...initially]);
  const handle = createHandler({
    connect: async () =>
      webhooksApi({ baseUrl: 'https://voice.example', apiKey: API_KEY, fetch, now, pause }),
    readSecret: async (arn) => authorizationIn(arn),
    stackStatus: async () => stack.status,
    subAccountIds: [],
    logger,
    metrics,
  });
  const stack = new StackModel((event) => {
    // CloudFormation's requests are seconds apart, so late effects have happened by then.
    api.settle();
    return handle(event);
  }, rollsBackFailedUpdate);
  const registered = () => (api.webhooks.get(ACCOUNT) ?? []).filter(({ type }) => type === 'VSS');
  return { api, stack, logged, registered };
}

const propertiesOf = ({ version, url, takeOver, onDelete }: Template) => ({
  ServiceToken: 'token',
  subAccountId: ACCOUNT,
  webhooksApiUrl: 'https://voice.example',
  url,
  authorizationSecretArn: secretArn(version),
  takeOver: String(takeOver),
  onDelete,
});

const expectedFrom = ({ version, url }: Template): RegisteredWebhook[] => [
  { type: 'VSS', url, enabled: true, httpAuthHeader: authorizationIn(secretArn(version)) },
];

it('the registration keeps its invariants in every sequence of operations and faults', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async ({ steps, ...start }) => {
      const { api, stack, logged, registered } = setUp(start);
      /** The template of the resource that exists. */
      let current: Template | undefined;

      for (const now of steps) {
        api.settle();
        const before = registered();
        if ('somebody' in now) {
          const rest = (api.webhooks.get(ACCOUNT) ?? []).filter(({ type }) => type !== 'VSS');
          const changed = {
            'takes-over': [{ ...FOREIGN, httpAuthHeader: null }],
            disables: before.map((webhook) => ({ ...webhook, enabled: false })),
            removes: [],
          };
          api.webhooks.set(ACCOUNT, [...rest, ...changed[now.somebody]]);
          continue;
        }
        api.switches.faults = [...now.faults];
        api.requests.length = 0;
        const logsBefore = logged.length;
        const foreign = before.filter(isForeign);

        if ('destroy' in now) {
          await stack.destroy();
          if (current?.onDelete === 'keep' || current === undefined) expect(registered()).toEqual(before);
          else if (foreign.length === 0 && now.faults.length === 0) expect(registered()).toEqual([]);
          expect(registered().filter(isForeign)).toEqual(foreign);
          current = undefined;
        } else {
          const wanted = now.deploy;
          const previous = current;
          // A second event is not told from a first one, so faults in it may undo what the first one did.
          if (now.trouble === 'twice') api.switches.faults = [];
          let outcome = await stack.deploy(propertiesOf(wanted), now.trouble);
          // 8x8 recovers, the operator follows the advice of the message, and the rollback continues.
          for (let tries = 0; outcome === 'rollback-failed' && tries < 2; tries++) {
            api.switches.faults = [];
            if (stack.failures.at(-1)?.includes('if 8x8 refuses because of that')) {
              const known = api.webhooks.get(ACCOUNT) ?? [];
              api.webhooks.set(
                ACCOUNT,
                known.filter((webhook) => webhook.type !== 'VSS' || isForeign(webhook)),
              );
            }
            outcome = await stack.continueRollback();
          }
          expect(outcome).not.toBe('rollback-failed');
          const isUndone = outcome === 'created-and-rolled-back' || now.trouble === 'deleted-meanwhile';
          if (isUndone && !previous && now.faults.length === 0 && !before.length)
            expect(registered()).toEqual([]);
          if (outcome === 'created' || outcome === 'updated') {
            expect(registered()).toEqual(expectedFrom(wanted));
            current = wanted;
          }
          const isOurs = before.every(({ url }) =>
            [wanted.url, previous?.url].some((known) => known && isSameUrl(known, url)),
          );
          const isUsual =
            start.vendor.refusalMessage !== 'Invalid param' && ['none', 'twice'].includes(now.trouble);
          if (isUsual && now.faults.length === 0 && (isOurs || wanted.takeOver)) {
            expect(['created', 'updated', 'unchanged']).toContain(outcome);
          }
          if (outcome === 'unchanged') expect(api.requests).toEqual([]);
          if (outcome === 'rolled-back' && previous) {
            const isRestored = !logged
              .slice(logsBefore)
              .some(({ message }) => message === 'Not restored at 8x8');
            const isRefused =
              start.vendor.refusalMessage === 'Invalid param' ||
              now.faults.some((fault) => typeof fault === 'number' || fault === 'echo');
            // A foreign webhook is unchanged. Without one, ours is restored. If the log reports that it was not, it may
            // have the new Authorization value, which is accepted too. If 8x8 rejected requests, any state is possible.
            if (registered().some(isForeign)) expect(registered().filter(isForeign)).toEqual(foreign);
            else if (isRestored) expect(registered()).toEqual(expectedFrom(previous));
            else if (!isRefused)
              expect([
                expectedFrom(previous),
                expectedFrom({ ...previous, version: wanted.version }),
              ]).toContainEqual(registered());
            if (!isRestored) return;
          }
          if (outcome === 'create-failed' && !stack.failures.at(-1)?.includes('may still be registered')) {
            expect(registered().filter(({ url }) => url === wanted.url && !before.length)).toEqual([]);
          }
          const mayTakeOver = wanted.takeOver;
          if (!mayTakeOver) expect(registered().filter(isForeign)).toEqual(foreign);
          const isSettled = previous && isDeepStrictEqual(before, expectedFrom(previous));
          const isSame = previous?.url === wanted.url && previous.version === wanted.version;
          const isOnce = now.faults.length === 0 && now.trouble !== 'twice';
          if (outcome === 'updated' && isSettled && isSame && isOnce) {
            expect(api.requests).toHaveLength(1);
          }
        }
        expect(api.webhooks.get(ACCOUNT)).toContainEqual(OTHER_TYPE);
        if (stack.resource) expect(stack.resource.physicalId).toBe(`8x8-webhook/${ACCOUNT}/VSS`);
      }

      const told = JSON.stringify([stack.failures, logged]);
      for (const secret of [API_KEY, 'authorization-', 'token=foreign']) expect(told).not.toContain(secret);
      for (const message of stack.failures) expect(Buffer.byteLength(message)).toBeLessThan(2_500);
    }),
    { numRuns },
  );
});
