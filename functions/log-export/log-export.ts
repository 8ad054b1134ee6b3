import * as v from 'valibot';
import { type CallFailure, describeFailure } from '../voice-api/call-failure.ts';
import { printable, readErrorBody } from '../voice-api/error-body.ts';
import { retryingCall, type VoiceApiSettings } from '../voice-api/retrying-call.ts';
import { instant } from '../vss/values.ts';
import type { Link } from './download.ts';
import { LogExportError, type LogExportFault } from './log-export-error.ts';

/**
 * 8x8's export of call logs: a job of one sub-account makes CSV files with one row per call leg.
 *
 * @see https://developer.8x8.com/connect/reference, "Reporting API"
 */
export interface LogExport {
  /**
   * Starts a job, and returns its id. Not idempotent: if a response is lost, the retry starts a second job. The first
   * one is never polled, which does no harm.
   */
  start(subAccountId: string, period: Period): Promise<string>;
  /** Asks once for the state of a job. Rejects if it will never have files, or if 8x8 does not know it, or no longer. */
  poll(subAccountId: string, jobId: string): Promise<Job>;
}

/** The state of a job. */
export type Job =
  /** 8x8 is working on it, or reports a status that it does not document: poll again. */
  | { state: 'pending'; status: string }
  /** Without rows, there are no files. */
  | { state: 'succeeded'; links: Link[] };

/** A period in UTC. 8x8 documents neither by which of a call's times it selects nor whether `to` is included. */
interface Period {
  from: Date;
  to: Date;
}

interface Settings extends VoiceApiSettings {
  /** How long each call is retried, in milliseconds. Default: one minute. */
  retryMs?: number;
}

const RETRY_MS = 60_000;

/** Creates a client of the log export. Its methods reject with a LogExportError if a call fails. */
export function logExport({ retryMs = RETRY_MS, ...settings }: Settings): LogExport {
  const call = retryingCall({
    ...settings,
    retryUntil: (calledAt) => calledAt + retryMs,
    errorOf,
  });

  return {
    async start(subAccountId, { from, to }) {
      // 8x8 documents no default limit for Voice; 0 is none.
      const body = { from: withoutFraction(from), to: withoutFraction(to), limit: 0 };
      const answer = await call({ method: 'POST', subAccountId, path: EXPORTS, body });
      const started = v.safeParse(Started, answer);
      if (started.success) return started.output.jobId;
      return fail(subAccountId, 'the id of a new job', settings.baseUrl);
    },
    async poll(subAccountId, jobId) {
      const answer = await call({ method: 'GET', subAccountId, path: pathOf(jobId), secrets: [jobId] });
      const job = readJob(answer, settings.baseUrl);
      return job ?? fail(subAccountId, 'the state of a job', settings.baseUrl);
    },
  };
}

const EXPORTS = '/messages/exports';

function pathOf(jobId: string): string {
  return `${EXPORTS}/${encodeURIComponent(jobId)}`;
}

/** `2026-11-24T18:00:00Z`: 8x8 documents no fractions of a second. */
function withoutFraction(time: Date): string {
  return time.toISOString().replace(/\.\d+/, '');
}

/** The code of 8x8 for a job that it does not know. */
const INVALID_JOB_ID = '4018';

function errorOf(failure: CallFailure): LogExportError {
  const { method, answer } = failure;
  const { status, body } = answer;
  const isUnknown = status === 404 || status === 410 || readErrorBody(body).code === INVALID_JOB_ID;
  if (method === 'GET' && isUnknown)
    return new LogExportError('job-unknown', '8x8 does not know the export, or no longer');
  const action = method === 'POST' ? 'start a log export' : 'return the state of a log export';
  return new LogExportError(
    kindOf(failure),
    describeFailure(failure, { action, urlSetting: 'logExportUrl' }),
  );
}

const KINDS = new Map<number, LogExportFault>([
  [401, 'key-refused'],
  [403, 'access-refused'],
  [404, 'unknown-subaccount'],
  [429, 'unavailable'],
]);

function kindOf({ answer: { status = 503 } }: CallFailure): LogExportFault {
  // A 2xx is a failure if its body has a code.
  return KINDS.get(status) ?? (status >= 500 || status < 300 ? 'unavailable' : 'refused');
}

function fail(subAccountId: string, expected: string, baseUrl: string): never {
  throw new LogExportError(
    'unexpected-answer',
    `8x8 did not return ${expected} for the log export of sub-account ${subAccountId}: the response is not JSON, or has another shape. Check that logExportUrl, ${baseUrl}, is the address of 8x8's log export.`,
  );
}

/** Printable ASCII, and no segment that a URL would resolve. */
const JobId = v.pipe(
  v.union([v.string(), v.number()]),
  v.transform(String),
  v.regex(/^[!-~]{1,512}$/),
  v.regex(/[^.]/),
);

const Started = v.object({ jobId: JobId });

const Polled = v.object({
  status: v.pipe(v.string(), v.trim(), v.nonEmpty()),
  data: v.optional(v.unknown()),
  expires: v.fallback(v.optional(instant), undefined),
});

const FAILURES = new Set(['failed', 'error', 'cancelled', 'canceled']);

/** Reads the response to a poll. Returns undefined if it is not the state of a job. @throws LogExportError */
function readJob(body: unknown, baseUrl: string): Job | undefined {
  const parsed = v.safeParse(Polled, body);
  if (!parsed.success) return undefined;
  const { data, expires } = parsed.output;
  const status = parsed.output.status.toLowerCase();
  if (status === 'empty') return { state: 'succeeded', links: [] };
  if (FAILURES.has(status)) throw jobFailed(status);
  if (status !== 'succeeded') return { state: 'pending', status: printable(status, []).slice(0, 50) };
  const links = readLinks(data, baseUrl).map((link) => ({ link, expires }));
  return { state: 'succeeded', links };
}

function jobFailed(status: string): LogExportError {
  return new LogExportError('job-failed', `8x8 reports the status ${status}`);
}

/** The links, each once and absolute. @throws LogExportError if there are none, or if one is not a link. */
function readLinks(data: unknown, baseUrl: string): string[] {
  const Link = v.pipe(
    v.string(),
    v.nonEmpty(),
    v.check((link) => URL.canParse(link, baseUrl)),
    v.transform((link) => new URL(link, baseUrl).href),
  );
  const parsed = v.safeParse(v.pipe(v.array(Link), v.minLength(1)), data);
  if (!parsed.success) throw jobFailed('succeeded, but no usable links');
  return [...new Set(parsed.output)];
}
