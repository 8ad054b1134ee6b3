import * as v from 'valibot';
import { printable } from '../voice-api/error-body.ts';
import { instant } from '../vss/values.ts';

/** The state of a job. */
export type Job =
  /** 8x8 is working on it, or reports a status that it does not document: poll again. */
  | { state: 'pending'; status: string }
  /** The files are at these links until `expires`, in UTC, if 8x8 says so. */
  | { state: 'succeeded'; links: string[]; expires: string | undefined }
  /** There are no rows, so there are no files. */
  | { state: 'empty' }
  /** The job will never have files. */
  | { state: 'failed'; reason: string }
  /** 8x8 does not know the job, or no longer. */
  | { state: 'gone' };

/** Printable ASCII, and no segment that a URL would resolve. */
const JobId = v.pipe(
  v.union([v.string(), v.number()]),
  v.transform(String),
  v.regex(/^[!-~]{1,512}$/),
  v.regex(/[^.]/),
);

const Started = v.object({ jobId: JobId });

/** The id in the response to a start. */
export function readJobId(body: unknown): string | undefined {
  const parsed = v.safeParse(Started, body);
  return parsed.success ? parsed.output.jobId : undefined;
}

const Polled = v.object({
  status: v.pipe(v.string(), v.trim(), v.nonEmpty()),
  data: v.optional(v.unknown()),
  expires: v.fallback(v.optional(instant), undefined),
});

const FAILURES = new Set(['failed', 'error', 'cancelled', 'canceled']);

/** Reads the response to a poll. Returns undefined if it is not the state of a job. */
export function readJob(body: unknown, baseUrl: string): Job | undefined {
  const parsed = v.safeParse(Polled, body);
  if (!parsed.success) return undefined;
  const { data, expires } = parsed.output;
  const status = parsed.output.status.toLowerCase();
  if (status === 'empty') return { state: 'empty' };
  if (FAILURES.has(status)) return { state: 'failed', reason: `8x8 reports the status ${status}` };
  if (status !== 'succeeded') return { state: 'pending', status: printable(status, []).slice(0, 50) };
  const links = readLinks(data, baseUrl);
  if (links) return { state: 'succeeded', links, expires };
  return { state: 'failed', reason: '8x8 reports the status succeeded, but no usable links' };
}

/** The links, each once and absolute; undefined if there are none, or if one is not a link. */
function readLinks(data: unknown, baseUrl: string): string[] | undefined {
  const Link = v.pipe(
    v.string(),
    v.nonEmpty(),
    v.check((link) => URL.canParse(link, baseUrl)),
    v.transform((link) => new URL(link, baseUrl).href),
  );
  const parsed = v.safeParse(v.pipe(v.array(Link), v.minLength(1)), data);
  return parsed.success ? [...new Set(parsed.output)] : undefined;
}
