import * as v from 'valibot';
import { describeFinding, type Finding, findingOf } from './finding.ts';
import { type WebhooksApi, WebhooksApiError } from './webhooks-api.ts';

/** What the schedule, and `npm run doctor`, ask for. */
export const CheckEvent = v.object({
  check: v.object({
    /** The URL that should be registered. */
    url: v.string(),
    subAccountIds: v.array(v.string()),
  }),
});
export type CheckEvent = v.InferOutput<typeof CheckEvent>;

/** Whether the webhook of a sub-account is registered; if not, what is wrong. */
export const Checked = v.object({
  subAccountId: v.string(),
  problem: v.optional(
    v.object({
      /** In one word, to search for. */
      finding: v.string(),
      description: v.string(),
    }),
  ),
});
export type Checked = v.InferOutput<typeof Checked>;

/** Asks 8x8 whether the webhook of each sub-account is registered as it should be. Changes nothing, never rejects. */
export function check(connect: () => Promise<WebhooksApi>, { check }: CheckEvent): Promise<Checked[]> {
  const connection = connect();
  return Promise.all(
    check.subAccountIds.map(async (subAccountId) => {
      try {
        const webhooks = await (await connection).list(subAccountId);
        const finding = findingOf(webhooks, check.url);
        if (!finding) return { subAccountId };
        return {
          subAccountId,
          problem: { finding, description: describeFinding(finding, webhooks, check.url) },
        };
      } catch (error) {
        const description = error instanceof Error ? error.message : String(error);
        return { subAccountId, problem: { finding: whyUnknown(error), description } };
      }
    }),
  );
}

function whyUnknown(error: unknown): Finding | 'key-refused' | 'not-checked' {
  const isRefused = error instanceof WebhooksApiError && (error.status === 401 || error.status === 403);
  return isRefused ? 'key-refused' : 'not-checked';
}
