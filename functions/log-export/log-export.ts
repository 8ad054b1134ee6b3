import { type CallFailure, describeFailure } from '../voice-api/call-failure.ts';
import { readErrorBody } from '../voice-api/error-body.ts';
import { retryingCall, type VoiceApiSettings } from '../voice-api/retrying-call.ts';
import { type Job, readJob, readJobId } from './job.ts';
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
  /** Asks once for the state of a job. */
  poll(subAccountId: string, jobId: string): Promise<Job>;
  /** Cancels a job. Idempotent: a job that 8x8 does not know is cancelled. */
  cancel(subAccountId: string, jobId: string): Promise<void>;
}

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
    errorOf: (failure) => new FailedCall(failure),
  });

  return {
    async start(subAccountId, { from, to }) {
      // 8x8 documents no default limit for Voice; 0 is none.
      const body = { from: withoutFraction(from), to: withoutFraction(to), limit: 0 };
      const answer = await call({ method: 'POST', subAccountId, path: EXPORTS, body });
      return readJobId(answer) ?? fail(subAccountId, 'the id of a new job', settings.baseUrl);
    },
    async poll(subAccountId, jobId) {
      try {
        const answer = await call({ method: 'GET', subAccountId, path: pathOf(jobId), secrets: [jobId] });
        return (
          readJob(answer, settings.baseUrl) ?? fail(subAccountId, 'the state of a job', settings.baseUrl)
        );
      } catch (error) {
        if (error instanceof FailedCall && error.isJobUnknown) return { state: 'gone' };
        throw error;
      }
    },
    async cancel(subAccountId, jobId) {
      try {
        await call({ method: 'DELETE', subAccountId, path: pathOf(jobId), secrets: [jobId] });
      } catch (error) {
        if (!(error instanceof FailedCall && error.isJobUnknown)) throw error;
      }
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

const LOG_EXPORT = {
  actions: {
    POST: 'start a log export',
    GET: 'return the state of a log export',
    DELETE: 'cancel a log export',
  },
  urlSetting: 'logExportUrl',
};

/** The code of 8x8 for a job that it does not know. */
const INVALID_JOB_ID = '4018';

class FailedCall extends LogExportError {
  /** Whether 8x8 does not know the job, or no longer. */
  readonly isJobUnknown: boolean;

  constructor(failure: CallFailure) {
    super(kindOf(failure), describeFailure(failure, LOG_EXPORT));
    const { status, body } = failure.answer;
    const { code } = readErrorBody(body);
    this.isJobUnknown = status === 404 || status === 410 || code === INVALID_JOB_ID;
  }
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
