import { setTimeout } from 'node:timers/promises';
import { retryingCall, type VoiceApiSettings } from '../voice-api/retrying-call.ts';
import { readWebhookList, type Webhook } from './webhook-list.ts';
import { WebhooksApiError } from './webhooks-api-error.ts';

/**
 * The part of 8x8's Webhooks API for webhooks of the type VSS, of which a sub-account has at most one.
 *
 * @see https://developer.8x8.com/connect/reference/create-a-new-webhook
 */
export interface WebhooksApi {
  /** Lists the VSS webhooks of a sub-account: none or one, but 8x8 does not rule out more. */
  list(subAccountId: string): Promise<Webhook[]>;
  /** Polls the list, at most four times, until it is as expected. Returns the last list in either case. */
  listUntil(subAccountId: string, isExpected: (webhooks: Webhook[]) => boolean): Promise<Webhook[]>;
  /** Creates a webhook. 8x8 does not document what happens to an existing one. */
  create(subAccountId: string, webhook: { url: string; authorization: string }): Promise<void>;
  /** Removes the VSS webhook. Returns false if 8x8 answers that there is none. */
  remove(subAccountId: string): Promise<boolean>;
}

interface Settings extends VoiceApiSettings {
  /** How long a client retries, in milliseconds since its creation. Default: `RETRY_MS`. */
  retryMs?: number;
}

/**
 * How long a client retries. The rest of the function's 13 minutes is reserved for the calls after a failure, each of
 * which is made once and times out after ten seconds.
 */
export const RETRY_MS = 6 * 60_000;

/** Maximum number of polls, and the delay between them, until 8x8 lists the change. */
const MAX_POLLS = 4;
const POLL_DELAY_MS = 2_000;

/** Creates a client of the Webhooks API. Its methods reject with a WebhooksApiError if a request fails. */
export function webhooksApi({
  retryMs = RETRY_MS,
  now = () => performance.now(),
  pause = setTimeout,
  ...settings
}: Settings): WebhooksApi {
  const retryUntil = now() + retryMs;
  const call = retryingCall({
    ...settings,
    now,
    pause,
    retryUntil: () => retryUntil,
    errorOf: (failure) => new WebhooksApiError(failure),
  });

  async function list(subAccountId: string): Promise<Webhook[]> {
    const webhooks = readWebhookList(await call({ method: 'GET', subAccountId, path: '/webhooks' }));
    if (webhooks) return webhooks;
    throw new Error(
      `8x8 did not return a valid list of the webhooks of sub-account ${subAccountId}: it is not a webhook list, or a VSS webhook in it is malformed. Check that webhooksApiUrl, ${settings.baseUrl}, is the address of 8x8's Voice API.`,
    );
  }

  return {
    list,
    async listUntil(subAccountId, isExpected) {
      for (let polls = 1; ; polls++) {
        const webhooks = await list(subAccountId);
        if (isExpected(webhooks) || polls === MAX_POLLS) return webhooks;
        await pause(POLL_DELAY_MS);
      }
    },
    async create(subAccountId, { url, authorization }) {
      // The API reference documents `enabled`, the guides `active`; both default to true.
      const body = { type: 'VSS', url, httpAuthHeader: authorization, enabled: true };
      await call({ method: 'POST', subAccountId, path: '/webhooks', body, secrets: [authorization] });
    },
    async remove(subAccountId) {
      try {
        await call({ method: 'DELETE', subAccountId, path: '/webhooks/VSS' });
        return true;
      } catch (error) {
        // There is none, or an earlier attempt removed it and its response was lost.
        if (error instanceof WebhooksApiError && error.status === 404) return false;
        throw error;
      }
    },
  };
}
