import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import * as v from 'valibot';

/** A webhook as 8x8 has it. */
export interface RegisteredWebhook {
  type: string;
  url: string;
  enabled: boolean;
  /** Sent with each delivery, never shown. */
  httpAuthHeader: string | null;
}

/** What the API description leaves open, and what can go wrong: how the stand-in behaves from now on. */
export const Switches = v.strictObject({
  /** What becomes of a webhook that exists when another of its type is created. */
  secondPost: v.optional(v.picklist(['replace', 'refuse', 'append']), 'replace'),
  /** The status of an answer to a second POST that is refused … */
  refusal: v.optional(v.picklist([400, 403, 409, 422, 500]), 422),
  /** … and its message. */
  refusalMessage: v.optional(v.string(), 'Webhook exists already'),
  /** The status of a success. */
  success: v.optional(v.picklist([200, 201]), 200),
  /** How many lists after a change still show what was before it. */
  lag: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 0),
  /** The answer when there is no webhook to delete. */
  deleteOfNothing: v.optional(v.picklist([200, 404]), 404),
  /** How the list for a sub-account without webhooks looks. */
  emptyList: v.optional(v.picklist(['empty', 'null', 'missing']), 'empty'),
  /** How a webhook's state is called: the description says `enabled`, the guides say `active`. */
  stateName: v.optional(v.picklist(['enabled', 'active']), 'enabled'),
  /** Above how many requests within a second it answers 429, and with which Retry-After. */
  rateLimit: v.optional(
    v.strictObject({
      perSecond: v.pipe(v.number(), v.integer(), v.minValue(1)),
      retryAfter: v.optional(v.string()),
    }),
  ),
  /** Answers every request with 200, no webhooks and this `statusCode` in the body, and does nothing. */
  failureIn200: v.optional(v.union([v.number(), v.string()])),
  /** What goes wrong with the next requests, one each; the last of them for all that follow when `stays`. */
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

/** The connection breaks without an answer. */
export class DroppedConnection extends Error {
  override name = 'DroppedConnection';
}

/** A request to the API. */
export interface VoiceRequest {
  method: string;
  /** The path, encoded as it was sent. */
  path: string;
  authorization: string | undefined;
  body: string;
}

export interface VoiceAnswer {
  status: number;
  headers?: Record<string, string>;
  body: unknown;
}

/**
 * A stand-in for 8x8's Webhooks API, by its description: sub-accounts with webhooks, one per type, and an API key.
 *
 * @see https://developer.8x8.com/connect/reference/create-a-new-webhook
 */
export class Fake8x8 {
  readonly #apiKey: string;
  readonly #pause: (milliseconds: number) => Promise<unknown>;
  /** The webhooks of each sub-account. */
  readonly webhooks: Map<string, RegisteredWebhook[]>;
  switches: Switches = v.parse(Switches, {});
  /** Requests until now: method and path. */
  readonly requests: string[] = [];
  /** When requests were taken, within the last second: milliseconds of a steady clock. */
  #taken: number[] = [];
  /** Requests whose connection broke, and that take effect when time has passed. */
  readonly #late: VoiceRequest[] = [];
  /** What lists still show. */
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

  /** Answers a request, with the fault whose turn it is. @throws DroppedConnection */
  async handle(request: VoiceRequest): Promise<VoiceAnswer> {
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
    this.#taken = this.#taken.filter((at) => at > now - 1_000);
    if (this.#taken.length >= perSecond) return true;
    this.#taken.push(now);
    return false;
  }

  /** Time passes: what was late has its effect, and lists show what is. */
  settle(): void {
    for (const late of this.#late.splice(0)) this.#answer(late);
    this.#outdated.lists = 0;
  }

  #handle(request: VoiceRequest, fault: Fault): VoiceAnswer {
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

  #answer({ method, path, authorization, body }: VoiceRequest): VoiceAnswer {
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

  #list(subAccountId: string, webhooks: readonly RegisteredWebhook[]): VoiceAnswer {
    const { emptyList, stateName } = this.switches;
    const known = this.#outdated.lists-- > 0 ? this.#outdated.webhooks : webhooks;
    const items = known.map((webhook) => show(webhook, stateName));
    const list = { empty: { webhooks: items }, null: { webhooks: null }, missing: {} };
    const shown = items.length === 0 ? list[emptyList] : list.empty;
    return ok({ subAccountId, count: items.length, ...shown, statusCode: 0, statusMessage: 'ok' });
  }

  #create(subAccountId: string, webhooks: RegisteredWebhook[], body: string): VoiceAnswer {
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

  #delete(subAccountId: string, webhooks: RegisteredWebhook[], type: string): VoiceAnswer {
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

/** Longer than anyone should wait for an answer. */
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

function ok(body: object): VoiceAnswer {
  return { status: 200, body };
}

/** The one error body that the description has, with a code as text. */
function failure(status: number, statusMessage: string, retryAfter?: string): VoiceAnswer {
  return {
    status,
    headers: retryAfter === undefined ? {} : { 'Retry-After': retryAfter },
    body: { errorId: randomUUID(), statusCode: String(status), statusMessage, timestamp: {} },
  };
}
