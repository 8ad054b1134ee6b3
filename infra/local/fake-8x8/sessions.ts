import * as v from 'valibot';

/** A text; undefined if it is anything else, because the log export shows what it can of any session. */
const Text = v.fallback(v.optional(v.string()), undefined);
const Numeric = v.fallback(v.optional(v.number()), undefined);

const Leg = v.object({
  callId: Text,
  callDirection: Text,
  callType: Text,
  initiatedTimestamp: Text,
  connectedTimestamp: Text,
  disconnectedTimestamp: Text,
  source: Text,
  destination: Text,
  sourceCountryCode: Text,
  destinationCountryCode: Text,
  callStatus: Text,
  callDuration: Numeric,
  callQuality: v.fallback(v.optional(v.object({ mos: Numeric })), undefined),
});
export type Leg = v.InferInput<typeof Leg>;

const Session = v.object({
  sessionId: v.string(),
  subAccountId: v.string(),
  sessionStatus: Text,
  startTime: Text,
  endTime: Text,
  lastAction: Text,
  details: v.fallback(v.optional(v.record(v.string(), Leg), {}), {}),
});
/** The payload of a summary, as 8x8 sends it. */
export type Session = v.InferInput<typeof Session>;

const Body = v.pipe(v.string(), v.parseJson(), v.object({ payload: Session }));

/** The sessions that 8x8 has had. */
export class Sessions {
  readonly #now: () => number;
  readonly #had = new Map<string, { session: Session; at: number }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Adds a session, or replaces it if 8x8 has had it, by the body that summarizes it. Returns false, and does nothing,
   * if the body is no summary.
   */
  add(body: string): boolean {
    const parsed = v.safeParse(Body, body);
    if (!parsed.success) return false;
    const session = parsed.output.payload;
    const key = JSON.stringify([session.subAccountId, session.sessionId]);
    this.#had.set(key, { session, at: this.#had.get(key)?.at ?? this.#now() });
    return true;
  }

  /** The sessions of a sub-account that 8x8 had had by this time. */
  *of(subAccountId: string, by: number): Generator<Session> {
    for (const { session, at } of this.#had.values())
      if (session.subAccountId === subAccountId && at <= by) yield session;
  }
}
