import { setTimeout } from 'node:timers/promises';
import * as v from 'valibot';
import { type ApiAnswer, type ApiRequest, DroppedConnection, failure, logExportFailure } from './exchange.ts';
import { LogExport } from './log-export.ts';
import { operationOf } from './resource.ts';
import { Sessions } from './sessions.ts';
import { type Fault, Switches, takeFault } from './switches.ts';
import { type RegisteredWebhook, WebhooksApi } from './webhooks-api.ts';

/** Longer than the timeout of the client of the Webhooks API. */
const SLOW_MS = 11_000;

export interface Fake8x8Options {
  /** Waits, for the fault `slow`. */
  pause?: (milliseconds: number) => Promise<unknown>;
  /** The time, in milliseconds since 1970. */
  now?: () => number;
}

/** Simulates 8x8: the Webhooks API, and sessions, which it summarizes in deliveries and in the log export. */
export class Fake8x8 {
  readonly #pause: (milliseconds: number) => Promise<unknown>;
  readonly #webhooksApi: WebhooksApi;
  readonly #logExport: LogExport;
  /** The webhooks of each sub-account. */
  readonly webhooks: Map<string, RegisteredWebhook[]>;
  /** The sessions that 8x8 has had. */
  readonly sessions: Sessions;
  /** The bodies of the deliveries that 8x8 has lost, oldest first. */
  readonly lost: string[] = [];
  switches: Switches = v.parse(Switches, {});
  /** Method and path of all requests so far. */
  readonly requests: string[] = [];
  /** The times of the requests within the last second, in milliseconds of a monotonic clock. */
  #recent: number[] = [];
  /** `late` requests, which take effect in `settle`. */
  readonly #late: ApiRequest[] = [];

  constructor(
    apiKey: string,
    subAccountIds: readonly string[],
    { pause = setTimeout, now = Date.now }: Fake8x8Options = {},
  ) {
    this.#pause = pause;
    this.webhooks = new Map(subAccountIds.map((id) => [id, []]));
    this.sessions = new Sessions(now);
    this.#webhooksApi = new WebhooksApi(apiKey, this.webhooks, () => this.switches);
    this.#logExport = new LogExport({
      apiKey,
      sessions: this.sessions,
      isKnown: (subAccountId) => this.webhooks.has(subAccountId),
      switches: () => this.switches.logExport,
      now,
    });
  }

  /** Ends a session, from the body that summarizes it. Returns whether 8x8 delivers the body, or loses it. */
  endSession(body: string): 'delivered' | 'lost' {
    this.sessions.add(body);
    if (this.switches.lose === 0) return 'delivered';
    this.switches.lose--;
    this.lost.push(body);
    return 'lost';
  }

  /** Answers a request, with the next fault. @throws DroppedConnection */
  async handle(request: ApiRequest): Promise<ApiAnswer> {
    this.requests.push(`${request.method} ${request.path}`);
    const operation = operationOf(request);
    const { rateLimit } = this.switches;
    if (rateLimit && operation === 'webhooks' && this.#isTooMany(rateLimit.perSecond))
      return failure(429, 'Too many requests', rateLimit.retryAfter);
    const fault = takeFault(this.switches, operation);
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
    this.#webhooksApi.settle();
  }

  #handle(request: ApiRequest, fault: Fault): ApiAnswer {
    if (fault === 'late') {
      this.#late.push(request);
      throw new DroppedConnection();
    }
    if (typeof fault === 'number') return this.#failure(request, fault);
    if (fault === 'echo') return failure(422, `Invalid request: ${request.authorization} ${request.body}`);
    const answer = this.#answer(request);
    if (fault === 'dropped-after') throw new DroppedConnection();
    return fault === 'no-body' ? { status: answer.status } : answer;
  }

  /** Simulates a failure, in the shape of the API that is called. */
  #failure(request: ApiRequest, status: number): ApiAnswer {
    return operationOf(request) === 'webhooks'
      ? failure(status, 'Simulated', status === 429 ? '2' : undefined)
      : logExportFailure(status, 'Simulated');
  }

  #answer(request: ApiRequest): ApiAnswer {
    return operationOf(request) === 'webhooks'
      ? this.#webhooksApi.answer(request)
      : this.#logExport.answer(request);
  }
}
