import * as v from 'valibot';

const Count = v.pipe(v.number(), v.integer(), v.minValue(0));
const switchedOff = () => v.optional(v.boolean(), false);

/** Controls the simulated log export where 8x8's description is ambiguous or leaves something open. */
export const LogExportSwitches = v.strictObject({
  /** How many polls of a job answer `queued` (the first) or `running` before it is done. */
  polls: v.optional(Count, 1),
  /**
   * The status of a job that is done: one for all jobs, or one each for the next jobs. By default `succeeded`, or
   * `empty` if there are no rows.
   */
  final: v.optional(v.union([v.string(), v.array(v.string())])),
  /** How many files an export has. The rows are dealt out, so that the rows of a session are in several files. */
  links: v.optional(v.pipe(Count, v.minValue(1)), 1),
  /** Which files have a header. */
  headers: v.optional(v.picklist(['every', 'first', 'none']), 'every'),
  /** Which time of a row must be in the requested range. */
  filterBy: v.optional(v.picklist(['initiated', 'disconnected']), 'initiated'),
  /** Whether the requested range contains its end. */
  toInclusive: switchedOff(),
  /** How many seconds after 8x8 had a session its rows appear. */
  lag: v.optional(Count, 0),
  timeFormat: v.optional(v.picklist(['z', 'offset', 'none', 'space']), 'z'),
  /** How the names of the columns are written. */
  headerCase: v.optional(v.picklist(['documented', 'lower', 'upper', 'snake']), 'documented'),
  columnOrder: v.optional(v.picklist(['documented', 'reversed']), 'documented'),
  extraColumns: v.optional(v.array(v.string()), []),
  missingColumns: v.optional(v.array(v.string()), []),
  bom: switchedOff(),
  crlf: switchedOff(),
  /** Whether the file itself is compressed, or only its transfer. */
  gzip: v.optional(v.picklist(['no', 'file', 'transfer']), 'no'),
  /** How a missing value is written. */
  null: v.optional(v.string(), ''),
  /** Whether the last digits of numbers are replaced by asterisks. */
  masked: switchedOff(),
  /** Whether numbers begin with a plus sign. */
  plus: v.optional(v.boolean(), true),
  countryCode: v.optional(v.picklist(['calling', 'iso-numeric']), 'calling'),
  rowsShuffled: switchedOff(),
  /** Whether a session without legs has a row. */
  legless: v.optional(v.picklist(['absent', 'present']), 'absent'),
  /** How many malformed rows precede the others. */
  brokenRows: v.optional(Count, 0),
  /** The currencies of the prices. */
  currencies: v.optional(v.pipe(v.array(v.string()), v.minLength(1)), ['USD']),
  /** Whether every export of a sub-account after its first has prices that are a tenth higher. */
  reRate: switchedOff(),
  /** Replaces every file by this text. */
  content: v.optional(v.string()),
  /** Whether a download needs the API key, does without, or is refused with it. */
  downloadAuth: v.optional(v.picklist(['required', 'ignored', 'refused']), 'required'),
  /** Where a download is redirected: to another origin, to itself without end, or to this URL. */
  redirect: v.optional(v.union([v.picklist(['object-store', 'loop']), v.pipe(v.string(), v.url())])),
  /** Whether a download has a Content-Length. */
  contentLength: switchedOff(),
  /** How many bytes a download has before it ends: with a closed connection, or `silently`, as if it were complete. */
  cut: v.optional(
    v.strictObject({
      after: Count,
      silently: switchedOff(),
      /** How many of the next downloads; by default all. */
      downloads: v.optional(Count, Number.MAX_SAFE_INTEGER),
    }),
  ),
  /** How many seconds after its end an export expires. */
  expires: v.optional(Count, 30 * 86_400),
  /** The names of an error's fields: those of 8x8's example, or those of its schema. */
  errorShape: v.optional(v.picklist(['code', 'statusCode']), 'code'),
});
export type LogExportSwitches = v.InferOutput<typeof LogExportSwitches>;
