import * as v from 'valibot';

/** What a request asks for. */
export type Operation = 'webhooks' | 'start' | 'poll' | 'download';

const Fault = v.union([
  v.pipe(v.number(), v.integer(), v.minValue(400), v.maxValue(599)),
  v.picklist(['none', 'dropped-before', 'dropped-after', 'late', 'slow', 'no-body', 'echo']),
]);
export type Fault = v.InferOutput<typeof Fault>;

/** A fault of the log export. */
const LogExportFault = v.strictObject({
  on: v.picklist(['log-export', 'start', 'poll', 'download']),
  fault: Fault,
});

const Count = v.pipe(v.number(), v.integer(), v.minValue(0));

/** Controls the simulated log export. */
export const LogExportSwitches = v.strictObject({
  /** How many polls of a job answer `queued` (the first) or `running` before it is done. */
  polls: v.optional(Count, 1),
  /** How many files an export has. The rows are dealt out, so that the rows of a session are in several files. */
  links: v.optional(v.pipe(Count, v.minValue(1)), 1),
  /** Which files have a header. */
  headers: v.optional(v.picklist(['every', 'first']), 'every'),
  /** The currencies of the prices. */
  currencies: v.optional(v.pipe(v.array(v.string()), v.minLength(1)), ['USD']),
  /** How many bytes a download has before its connection is closed, and for how many of the next downloads. */
  cut: v.optional(v.strictObject({ after: Count, downloads: v.optional(Count, Number.MAX_SAFE_INTEGER) })),
});
export type LogExportSwitches = v.InferOutput<typeof LogExportSwitches>;

/** Controls the simulated APIs where 8x8's descriptions are ambiguous, and injects faults. */
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
  /** The rate above which requests about webhooks are answered with 429, and the value of Retry-After. */
  rateLimit: v.optional(
    v.strictObject({
      perSecond: v.pipe(v.number(), v.integer(), v.minValue(1)),
      retryAfter: v.optional(v.string()),
    }),
  ),
  /** Answers every request about webhooks with 200, no webhooks and this `statusCode`, and has no effect. */
  failureIn200: v.optional(v.union([v.number(), v.string()])),
  /**
   * Faults for the next requests, one per request: a plain fault for a request about webhooks, others for requests of
   * the log export. With `stays`, the last fault applies to all later requests.
   */
  faults: v.optional(v.array(v.union([Fault, LogExportFault])), []),
  stays: v.optional(v.boolean(), false),
  /** How many of the next deliveries 8x8 loses. */
  lose: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 0),
  logExport: v.optional(LogExportSwitches, {}),
});
export type Switches = v.InferOutput<typeof Switches>;

/** Takes the next fault for this operation from the switches. */
export function takeFault({ faults, stays }: Switches, operation: Operation): Fault {
  const due = faults.filter((fault) =>
    typeof fault === 'object'
      ? fault.on === operation || (fault.on === 'log-export' && operation !== 'webhooks')
      : operation === 'webhooks',
  );
  const [next = 'none'] = due;
  const isLast = due.length === 1;
  if (due.length > 0 && !(stays && isLast)) faults.splice(faults.indexOf(next), 1);
  return typeof next === 'object' ? next.fault : next;
}
