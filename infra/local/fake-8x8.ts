import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import * as v from 'valibot';

/** A webhook as 8x8 stores it. */
export interface RegisteredWebhook {
  type: string;
  url: string;
  enabled: boolean;
  /** Sent with each delivery, but never returned by the API. */
  httpAuthHeader: string | null;
}

/** Controls the simulated API where the API description is ambiguous, and injects faults. */
export const Switches = v.strictObject({
  /** What happens to an existing webhook when another of its type is created. */
  secondPost: v.optional(v.picklist(['replace', 'refuse', 'append']), 'replace'),
  /** The status with which a second POST is refused. */
  refusal: v.optional(v.picklist([400, 403, 409, 422, 500]), 422),
  /** The message with which a second POST is refused. */
  refusalMessage: v.optional(v.string(), 'Webhook exists already'),
  /** The status of a successful creation. */
  success: v.optional(v.picklist([200, 201]), 200),
  /** How many list requests after a change still return the previous webhooks. */
  lag: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 0),
  /** The status of a deletion if there is no webhook. */
  deleteOfNothing: v.optional(v.picklist([200, 404]), 404),
  /** The `webhooks` property in the list of a sub-account without webhooks. */
  emptyList: v.optional(v.picklist(['empty', 'null', 'missing']), 'empty'),
  /** The name of a webhook's state: `enabled` in the API description, `active` in the guides. */
  stateName: v.optional(v.picklist(['enabled', 'active']), 'enabled'),
  /** The rate above which requests are answered with 429, and the value of Retry-After. */
  rateLimit: v.optional(
    v.strictObject({
      perSecond: v.pipe(v.number(), v.integer(), v.minValue(1)),
      retryAfter: v.optional(v.string()),
    }),
  ),
  /** Answers every request with 200, no webhooks and this `statusCode` in the body, and has no effect. */
  failureIn200: v.optional(v.union([v.number(), v.string()])),
  /** Faults for the next requests, one per request. With `stays`, the last fault applies to all later requests. */
  faults: v.optional(
    v.array(
      v.union([
        v.pipe(v.number(), v.integer(), v.minValue(400), v.maxValue(599)),
        v.picklist(['none', 'dropped-before', 'dropped-after', 'late', 'slow', 'no-body', 'echo']),
      ]),
    ),
    [],
  ),
  stays: v.optional(v.boolean(), false),
});
export type Switches = v.InferOutput<typeof Switches>;
export type Fault = Switches['faults'][number];

/** The connection is closed without an answer. */
export class DroppedConnection extends Error {
  override name = 'DroppedConnection';
}

/** A request to the API. */
interface ApiRequest {
  method: string;
  /** The path, still percent-encoded. */
  path: string;
  authorization: string | undefined;
  body: string;
}

/** The response of the API. */
interface ApiAnswer {
  status: number;
  headers?: Record<string, string>;
  body: unknown;
}

/**
 * Simulates 8x8's Webhooks API by its description: sub-accounts with one webhook per type, and an API key.
 *
 * @see https://developer.8x8.com/connect/reference/create-a-new-webhook
 */
export class Fake8x8 {
  readonly #apiKey: string;
  readonly #pause: (milliseconds: number) => Promise<unknown>;
  /** The webhooks of each sub-account. */
  readonly webhooks: Map<string, RegisteredWebhook[]>;
  switches: Switches = v.parse(Switches, {});
  /** Method and path of all requests so far. */
  readonly requests: string[] = [];
  /** The times of the requests within the last second, in milliseconds of a monotonic clock. */
  #recent: number[] = [];
  /** `late` requests, which take effect in `settle`. */
  readonly #late: ApiRequest[] = [];
  /** The webhooks before the last change, and how many lists still return them. */
  #outdated: { webhooks: readonly RegisteredWebhook[]; lists: number } = { webhooks: [], lists: 0 };

  constructor(
    apiKey: string,
    subAccountIds: readonly string[],
    pause: (milliseconds: number) => Promise<unknown> = setTimeout,
  ) {
    this.#apiKey = apiKey;
    this.#pause = pause;
    this.webhooks = new Map(subAccountIds.map((id) => [id, []]));
  }

  /** Answers a request, with the next fault. @throws DroppedConnection */
  async handle(request: ApiRequest): Promise<ApiAnswer> {
    this.requests.push(`${request.method} ${request.path}`);
    const { rateLimit } = this.switches;
    if (rateLimit && this.#isTooMany(rateLimit.perSecond))
      return failure(429, 'Too many requests', rateLimit.retryAfter);
    const { faults, stays } = this.switches;
    const fault = (stays && faults.length === 1 ? faults[0] : faults.shift()) ?? 'none';
    if (fault === 'dropped-before') throw new DroppedConnection();
    if (fault === 'slow') await this.#pause(SLOW_MS);
    return this.#handle(request, fault);
  }

  #isTooMany(perSecond: number): boolean {
    const now = performance.now();
    this.#recent = this.#recent.filter((at) => at > now - 1_000);
    if (this.#recent.length >= perSecond) return true;
    this.#recent.push(now);
    return false;
  }

  /** Applies `late` requests, and ends the lag of lists. */
  settle(): void {
    for (const late of this.#late.splice(0)) this.#answer(late);
    this.#outdated.lists = 0;
  }

  #handle(request: ApiRequest, fault: Fault): ApiAnswer {
    if (fault === 'late') {
      this.#late.push(request);
      throw new DroppedConnection();
    }
    if (typeof fault === 'number') return failure(fault, 'Simulated', fault === 429 ? '2' : undefined);
    if (fault === 'echo') return failure(422, `Invalid request: ${request.authorization} ${request.body}`);
    const answer = this.#answer(request);
    if (fault === 'dropped-after') throw new DroppedConnection();
    return fault === 'no-body' ? { ...answer, body: undefined } : answer;
  }

  #answer({ method, path, authorization, body }: ApiRequest): ApiAnswer {
    const [, encoded = '', type] =
      /^\/api\/v1\/subaccounts\/([^/]+)\/webhooks(?:\/(VCS|VCA|VSS|VRU))?$/.exec(path) ?? [];
    const subAccountId = decoded(encoded);
    if (authorization !== `Bearer ${this.#apiKey}`) return failure(401, 'API key not found or invalid');
    const webhooks = this.webhooks.get(subAccountId);
    if (!webhooks) return failure(404, 'Resource not found');
    const { failureIn200 } = this.switches;
    if (failureIn200 !== undefined) return ok({ ...NO_WEBHOOKS, subAccountId, statusCode: failureIn200 });

    if (method === 'GET' && type === undefined) return this.#list(subAccountId, webhooks);
    if (method === 'POST' && type === undefined) return this.#create(subAccountId, webhooks, body);
    if (method === 'DELETE' && type !== undefined) return this.#delete(subAccountId, webhooks, type);
    return failure(404, 'Resource not found');
  }

  #list(subAccountId: string, webhooks: readonly RegisteredWebhook[]): ApiAnswer {
    const { emptyList, stateName } = this.switches;
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
    const { secondPost, refusal, refusalMessage, lag, success } = this.switches;
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
    const { deleteOfNothing, stateName, lag } = this.switches;
    const [removed] = webhooks.filter((webhook) => webhook.type === type);
    if (!removed) {
      return deleteOfNothing === 404
        ? failure(404, 'Resource not found')
        : ok({ statusCode: 0, statusMessage: 'deleted' });
    }
    this.#outdated = { webhooks, lists: lag };
    this.webhooks.set(
      subAccountId,
      webhooks.filter((webhook) => webhook.type !== type),
    );
    return ok({ subAccountId, ...show(removed, stateName), statusCode: 0, statusMessage: 'deleted' });
  }
}

const NO_WEBHOOKS = { count: 0, webhooks: [], statusMessage: 'Internal error' };

/** Longer than the client's timeout. */
const SLOW_MS = 11_000;

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

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function show({ type, url, enabled, httpAuthHeader }: RegisteredWebhook, stateName: 'enabled' | 'active') {
  return { type, url, [stateName]: enabled, httpAuthHeaderAvailable: httpAuthHeader !== null };
}

function ok(body: object): ApiAnswer {
  return { status: 200, body };
}

/** The error body of the API description, which has its code as a string. */
function failure(status: number, statusMessage: string, retryAfter?: string): ApiAnswer {
  return {
    status,
    headers: retryAfter === undefined ? {} : { 'Retry-After': retryAfter },
    body: { errorId: randomUUID(), statusCode: String(status), statusMessage, timestamp: {} },
  };
}
