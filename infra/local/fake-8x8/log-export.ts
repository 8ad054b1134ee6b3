import { randomBytes } from 'node:crypto';
import { type ApiAnswer, type ApiRequest, logExportFailure, ok } from './exchange.ts';
import { fileAnswer } from './log-export-file.ts';
import { type Range, readRange } from './log-export-range.ts';
import { type Row, rowsOf } from './log-export-rows.ts';
import { decoded, isAuthorized, operationOf, resourceOf } from './resource.ts';
import type { Sessions } from './sessions.ts';
import type { LogExportSwitches } from './switches.ts';

interface LogExportOptions {
  apiKey: string;
  sessions: Sessions;
  /** Whether the sub-account exists. */
  isKnown(subAccountId: string): boolean;
  switches(): LogExportSwitches;
  now(): number;
}

/** The making of an export. */
interface Job {
  subAccountId: string;
  range: Range;
  /** Milliseconds since 1970. The export does not contain later sessions. */
  startedAt: number;
  polls: number;
  /** The status, once it is done. */
  status: string | undefined;
  /** Milliseconds since 1970. */
  expires: number;
  /** One for each file. */
  tokens: string[];
}

/**
 * Simulates 8x8's log export: jobs that export the rows of past calls, and the download of their files.
 *
 * @see https://developer.8x8.com/connect/reference, "Reporting API"
 */
export class LogExport {
  readonly #options: LogExportOptions;
  readonly #jobs = new Map<string, Job>();
  /** The files by token. */
  readonly #files = new Map<string, { job: Job; index: number }>();

  constructor(options: LogExportOptions) {
    this.#options = options;
  }

  answer(request: ApiRequest): ApiAnswer {
    const operation = operationOf(request);
    if (operation === 'download') return this.#download(request);
    const { subAccountId, rest } = resourceOf(request.path);
    if (!isAuthorized(request, this.#options.apiKey))
      return logExportFailure(401, 'API key not found or invalid');
    if (!this.#options.isKnown(subAccountId)) return logExportFailure(404, 'Resource not found', 1001);
    if (operation === 'start' && rest === 'messages/exports') return this.#start(subAccountId, request.body);

    const job = this.#jobs.get(decoded(rest.replace('messages/exports/', '')));
    if (job?.subAccountId !== subAccountId) return logExportFailure(404, 'Invalid jobId', 4018);
    if (operation === 'poll' && request.method === 'GET') return this.#poll(job, request.origin);
    return logExportFailure(404, 'Resource not found');
  }

  #start(subAccountId: string, body: string): ApiAnswer {
    const { now } = this.#options;
    const range = readRange(body, now());
    if (!range) return logExportFailure(422, 'Invalid param');
    const jobId = token();
    this.#jobs.set(jobId, {
      subAccountId,
      range,
      startedAt: now(),
      polls: 0,
      status: undefined,
      expires: 0,
      tokens: [],
    });
    return { status: 202, body: { jobId } };
  }

  #poll(job: Job, origin: string): ApiAnswer {
    if (job.status === undefined) {
      job.polls++;
      if (job.polls <= this.#options.switches().polls)
        return ok({ status: job.polls === 1 ? 'queued' : 'running' });
      this.#finish(job);
    }
    const { status, subAccountId } = job;
    if (status !== 'succeeded') return ok({ status });
    const downloads = `${origin}/api/v1/subaccounts/${encodeURIComponent(subAccountId)}/messages/download`;
    const data = job.tokens.map((token) => `${downloads}/${token}`);
    return ok({ status, data, expires: new Date(job.expires).toISOString() });
  }

  #finish(job: Job): void {
    const { now, switches } = this.#options;
    const { links } = switches();
    job.status = this.#rows(job).next().done === true ? 'empty' : 'succeeded';
    job.expires = now() + EXPIRES_MS;
    job.tokens = Array.from({ length: links }, token);
    for (const [index, token] of job.tokens.entries()) this.#files.set(token, { job, index });
  }

  #download(request: ApiRequest): ApiAnswer {
    if (!isAuthorized(request, this.#options.apiKey))
      return logExportFailure(401, 'API key not found or invalid');
    const { subAccountId, rest } = resourceOf(request.path);
    const file = this.#files.get(decoded(rest.replace('messages/download/', '')));
    const isFound = request.method === 'GET' && file?.job.subAccountId === subAccountId;
    if (!isFound || this.#options.now() >= file.job.expires)
      return logExportFailure(404, 'Not found or expired');
    return this.#file(file);
  }

  #file({ job, index }: { job: Job; index: number }): ApiAnswer {
    const dealt = this.#rows(job).filter((_, i) => i % job.tokens.length === index);
    return fileAnswer(dealt, this.#options.switches(), { isFirst: index === 0 });
  }

  *#rows({ subAccountId, range: { from, to }, startedAt }: Job): Generator<Row> {
    const { sessions, switches } = this.#options;
    for (const session of sessions.of(subAccountId, startedAt))
      for (const row of rowsOf(session, switches().currencies))
        if (row.initiated >= from && row.initiated < to) yield row;
  }
}

/** One month, as 8x8 documents. */
const EXPIRES_MS = 30 * 86_400_000;

/** As long as 8x8's job ids and links. */
function token(): string {
  return randomBytes(32).toString('hex');
}
