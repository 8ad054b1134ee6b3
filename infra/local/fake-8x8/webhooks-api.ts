import * as v from 'valibot';
import { type ApiAnswer, type ApiRequest, failure, ok } from './exchange.ts';
import { isAuthorized, resourceOf } from './resource.ts';
import type { Switches } from './switches.ts';

/** A webhook as 8x8 stores it. */
export interface RegisteredWebhook {
  type: string;
  url: string;
  enabled: boolean;
  /** Sent with each delivery, but never returned by the API. */
  httpAuthHeader: string | null;
}

/**
 * Simulates 8x8's Webhooks API by its description: sub-accounts with one webhook per type.
 *
 * @see https://developer.8x8.com/connect/reference/create-a-new-webhook
 */
export class WebhooksApi {
  readonly #apiKey: string;
  readonly #webhooks: Map<string, RegisteredWebhook[]>;
  readonly #switches: () => Switches;
  /** The webhooks before the last change, and how many lists still return them. */
  #outdated: { webhooks: readonly RegisteredWebhook[]; lists: number } = { webhooks: [], lists: 0 };

  /** @param webhooks The webhooks of each sub-account. */
  constructor(apiKey: string, webhooks: Map<string, RegisteredWebhook[]>, switches: () => Switches) {
    this.#apiKey = apiKey;
    this.#webhooks = webhooks;
    this.#switches = switches;
  }

  /** Ends the lag of lists. */
  settle(): void {
    this.#outdated.lists = 0;
  }

  answer(request: ApiRequest): ApiAnswer {
    const { subAccountId, rest } = resourceOf(request.path);
    const [, type] = /^webhooks(?:\/(VCS|VCA|VSS|VRU))?$/.exec(rest) ?? [];
    if (!isAuthorized(request, this.#apiKey)) return failure(401, 'API key not found or invalid');
    const webhooks = rest === '' ? undefined : this.#webhooks.get(subAccountId);
    if (!webhooks) return failure(404, 'Resource not found');
    const { failureIn200 } = this.#switches();
    if (failureIn200 !== undefined) return ok({ ...NO_WEBHOOKS, subAccountId, statusCode: failureIn200 });

    const { method } = request;
    if (method === 'GET' && rest === 'webhooks') return this.#list(subAccountId, webhooks);
    if (method === 'POST' && rest === 'webhooks') return this.#create(subAccountId, webhooks, request.body);
    if (method === 'DELETE' && type !== undefined) return this.#delete(subAccountId, webhooks, type);
    return failure(404, 'Resource not found');
  }

  #list(subAccountId: string, webhooks: readonly RegisteredWebhook[]): ApiAnswer {
    const { emptyList, stateName } = this.#switches();
    const known = this.#outdated.lists-- > 0 ? this.#outdated.webhooks : webhooks;
    const items = known.map((webhook) => show(webhook, stateName));
    const list = { empty: { webhooks: items }, null: { webhooks: null }, missing: {} };
    const shown = items.length === 0 ? list[emptyList] : list.empty;
    return ok({ subAccountId, count: items.length, ...shown, statusCode: 0, statusMessage: 'ok' });
  }

  #create(subAccountId: string, webhooks: RegisteredWebhook[], body: string): ApiAnswer {
    const parsed = v.safeParse(Creation, body);
    if (!parsed.success) return failure(422, 'Invalid JSON request body');
    const { httpAuthHeader = null, enabled, ...webhook } = parsed.output;
    const { secondPost, refusal, refusalMessage, lag, success } = this.#switches();
    const existing = webhooks.findIndex(({ type }) => type === webhook.type);
    if (existing >= 0 && secondPost === 'refuse') return failure(refusal, refusalMessage);
    const before = [...webhooks];
    if (existing >= 0 && secondPost === 'replace') webhooks.splice(existing, 1);
    webhooks.push({ ...webhook, httpAuthHeader, enabled: enabled ?? true });
    this.#outdated.lists = 0;
    const answer = this.#list(subAccountId, webhooks);
    this.#outdated = { webhooks: before, lists: lag };
    return { ...answer, status: success };
  }

  #delete(subAccountId: string, webhooks: RegisteredWebhook[], type: string): ApiAnswer {
    const { deleteOfNothing, stateName, lag } = this.#switches();
    const [removed] = webhooks.filter((webhook) => webhook.type === type);
    if (!removed) {
      return deleteOfNothing === 404
        ? failure(404, 'Resource not found')
        : ok({ statusCode: 0, statusMessage: 'deleted' });
    }
    this.#outdated = { webhooks, lists: lag };
    this.#webhooks.set(
      subAccountId,
      webhooks.filter((webhook) => webhook.type !== type),
    );
    return ok({ subAccountId, ...show(removed, stateName), statusCode: 0, statusMessage: 'deleted' });
  }
}

const NO_WEBHOOKS = { count: 0, webhooks: [], statusMessage: 'Internal error' };

const Creation = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    type: v.picklist(['VCS', 'VCA', 'VSS', 'VRU', 'VNU']),
    url: v.string(),
    httpAuthHeader: v.nullish(v.string()),
    enabled: v.nullish(v.boolean()),
  }),
);

function show({ type, url, enabled, httpAuthHeader }: RegisteredWebhook, stateName: 'enabled' | 'active') {
  return { type, url, [stateName]: enabled, httpAuthHeaderAvailable: httpAuthHeader !== null };
}
