import * as v from 'valibot';
import { describeFinding, type Finding, findingOf, PORTAL_URL } from './finding.ts';
import type { WebhooksApi } from './webhooks-api.ts';
import { WebhooksApiError } from './webhooks-api-error.ts';

/** The event that the schedule and `npx vss-webhook doctor` send. */
export const CheckEvent = v.object({
  check: v.object({
    /** The URL that should be registered. */
    url: v.string(),
    subAccountIds: v.array(v.string()),
  }),
});
export type CheckEvent = v.InferOutput<typeof CheckEvent>;

/** The result for one sub-account: without a problem, its webhook is registered as expected. */
export const Checked = v.object({
  subAccountId: v.string(),
  problem: v.optional(
    v.object({
      /** A keyword to search the logs for. */
      finding: v.string(),
      description: v.string(),
    }),
  ),
});
export type Checked = v.InferOutput<typeof Checked>;

/** How to fix each finding. */
const REMEDIES: Readonly<Record<Finding, string>> = {
  gone: 'Raise authorizationVersion by one and deploy: that registers it again.',
  several: `Remove all of them at ${PORTAL_URL}, raise authorizationVersion by one and deploy.`,
  elsewhere: 'Find out who changed it; then deploy with takeOver, and afterwards without it.',
  disabled: 'Find out who changed it; then raise authorizationVersion by one and deploy.',
  'no-authorization': 'Find out who changed it; then raise authorizationVersion by one and deploy.',
};

/**
 * Checks at 8x8 that the webhook of each sub-account is registered as expected, four per second. Changes nothing and
 * never rejects.
 */
export function check(connect: () => Promise<WebhooksApi>, { check }: CheckEvent): Promise<Checked[]> {
  const connection = connect();
  return Promise.all(
    check.subAccountIds.map(async (subAccountId) => {
      try {
        const webhooks = await (await connection).list(subAccountId);
        const finding = findingOf(webhooks, check.url);
        if (!finding) return { subAccountId };
        const description = `${describeFinding(finding, webhooks, check.url)}. ${REMEDIES[finding]}`;
        return { subAccountId, problem: { finding, description } };
      } catch (error) {
        const description = error instanceof Error ? error.message : String(error);
        return { subAccountId, problem: { finding: findingOfFailure(error), description } };
      }
    }),
  );
}

/** Distinguishes a failure that the configuration causes from one that may be temporary. */
function findingOfFailure(error: unknown): string {
  if (!(error instanceof WebhooksApiError))
    return isSecretsManagerUnavailable(error) ? 'not-checked' : 'misconfigured';
  const { status = 503 } = error;
  const isTemporary = status === 429 || status >= 500 || status < 300;
  return REFUSALS.get(status) ?? (isTemporary ? 'not-checked' : 'misconfigured');
}

/** Whether Secrets Manager was unavailable, as opposed to refusing access or having no such secret. */
function isSecretsManagerUnavailable(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return (
    cause instanceof Error &&
    /Throttling|Timeout|DeadlineExceeded|InternalService|ECONN|ENOTFOUND/.test(
      `${cause.name} ${cause.message}`,
    )
  );
}

const REFUSALS = new Map<number, string>([
  [401, 'key-refused'],
  [403, 'access-refused'],
  [404, 'unknown-subaccount'],
]);
