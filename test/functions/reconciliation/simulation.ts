import { createReadStream } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import type { DownloadedFiles } from '../../../functions/log-export/download.ts';
import type { LegRow } from '../../../functions/log-export/leg-row.ts';
import type { Job, LogExport } from '../../../functions/log-export/log-export.ts';
import { LogExportError } from '../../../functions/log-export/log-export-error.ts';
import { fromMessage, type Message } from '../../../functions/queue/message.ts';
import type { Objects } from '../../../functions/reconciliation/bucket.ts';
import { dayStates } from '../../../functions/reconciliation/day-states.ts';
import { createHandler } from '../../../functions/reconciliation/invocation.ts';
import type { RecordedSession } from '../../../functions/reconciliation/recorded-sessions.ts';
import type { Mode } from '../../../functions/reconciliation/window.ts';
import { merge, newRecord, receivedSummary, type SessionRecord } from '../../../functions/vss/record.ts';
import { carried } from '../queue/carried.ts';
import { summaryBody, summaryOf } from '../summaries.ts';
import { telemetry } from '../telemetry.ts';
import { csvOf } from './leg-rows.ts';

interface SimulationOptions {
  subAccountIds?: readonly string[];
  mode?: Mode;
}

/**
 * The reconciliation function with a table, a queue, a bucket and 8x8 in memory. The clock moves only by the function's
 * pauses and by `sleep`.
 */
export class Simulation {
  /** The rows that 8x8 has, by sub-account. */
  readonly rows = new Map<string, readonly LegRow[]>();
  /** What 8x8 answers to the nth poll of a job; undefined for its usual answer. May throw. */
  answer: (polls: number) => Job | undefined = () => undefined;
  /** The files of an export. */
  files = (rows: readonly LegRow[]): readonly string[] => [csvOf(rows)];
  /** Whether an export is never empty, whatever `rows` has. */
  always = false;
  /** Called before everything that the function does outside of itself. May throw. */
  before: (call: string) => void = () => {};
  queueAge = 0;
  /** Why 8x8 cannot be called, such as a secret that is missing. */
  connectionFailure: Error | undefined;
  readonly calls: string[] = [];
  readonly table = new Map<string, SessionRecord>();
  /** The number of deliveries that the webhook accepted, whenever it is asked. */
  accepted = 0;
  /** The ids that were looked up, by request. */
  readonly lookedUp: (readonly string[])[] = [];
  readonly queue: Message[] = [];
  /** Undefined while another reader hides messages. */
  deadLetters: Set<string> | undefined = new Set();
  /** The ids of erased sessions. */
  readonly erased = new Set<string>();
  readonly stored = new Map<string, string>();
  readonly #rowsOf = new Map<string, number>();
  readonly telemetry = telemetry();
  readonly invoke: ReturnType<typeof createHandler>;
  #now = Date.parse('2026-11-25T06:30:00Z');
  readonly #jobs = new Map<string, { subAccountId: string; from: Date; to: Date; polls: number }>();

  constructor({ subAccountIds = ['acme'], mode = 'record' }: SimulationOptions = {}) {
    const now = () => this.#now;
    const objects = this.#objects();
    this.invoke = createHandler({
      connect: async () => {
        if (this.connectionFailure) throw this.connectionFailure;
        return { logExport: this.#logExport(), download: async ([first]) => this.#download(first?.link) };
      },
      subAccountIds,
      mode,
      states: dayStates(objects, now),
      objects,
      retentionDays: undefined,
      lookUp: async (ids) => {
        this.#call('look up');
        this.lookedUp.push(ids);
        return new Map(ids.flatMap((id) => this.#recorded(id)));
      },
      acceptedDeliveries: async () => this.accepted,
      deadLetterSessions: async () => this.deadLetters,
      queueAge: async () => this.queueAge,
      send: async (message) => {
        this.#call('send');
        this.queue.push(message);
      },
      pause: async (milliseconds) => this.sleep(milliseconds),
      now,
      ...this.telemetry,
    });
    // Seen for the first time, so that the days from 24 November on are scheduled.
    for (const id of subAccountIds)
      this.stored.set(
        `reconciliation/state/${id}/first-seen.json`,
        JSON.stringify({ since: '2026-11-23T12:00:00.000Z' }),
      );
  }

  sleep(milliseconds: number): void {
    this.#now += milliseconds;
  }

  sleepUntil(time: string): void {
    this.#now = Date.parse(time);
  }

  /** Adds the record of a session that 8x8 delivered. */
  deliver(sessionId: string, payload: Readonly<Record<string, unknown>> = {}): void {
    const summary = summaryOf(summaryBody({ subAccountId: 'acme', ...payload, sessionId }));
    this.table.set(sessionId, newRecord(receivedSummary(summary, '2026-11-24T09:00:00.000Z')));
  }

  /** Records the messages in the queue, as the recorder does. Returns the ids of their sessions. */
  record(): string[] {
    return this.queue.splice(0).map((message) => {
      const { body, reconstructedFrom } = fromMessage(carried(message));
      if (reconstructedFrom !== 'log-export') throw new Error('no reconstruction');
      const receivedAt = message.MessageAttributes['receivedAt']?.StringValue ?? '';
      const record = newRecord(receivedSummary(summaryOf(String(body)), receivedAt, reconstructedFrom));
      const known = this.table.get(record.sessionId);
      this.table.set(record.sessionId, known ? merge(known, record) : record);
      return record.sessionId;
    });
  }

  #recorded(id: string): (readonly [string, RecordedSession | 'erased'])[] {
    if (this.erased.has(id)) return [[id, 'erased']];
    const record = this.table.get(id);
    if (!record) return [];
    const { subAccountId, sessionStatus: status, reconstructedFrom, digest } = record;
    const legs = Number(record['callCount']);
    const reconstruction = reconstructedFrom === undefined ? undefined : { legs, digest };
    return [[id, { subAccountId, status, reconstruction }]];
  }

  /** The saved state of a day. */
  state(subAccountId = 'acme', day = '2026-11-24'): unknown {
    return JSON.parse(this.stored.get(`reconciliation/state/${subAccountId}/${day}.json`) ?? '{}');
  }

  /** The result of the latest run of a day. */
  result(): Readonly<Record<string, unknown>> {
    return JSON.parse(this.stored.get('reconciliation/results/2026-11-24/acme.json') ?? '{}');
  }

  /** The rows that are stored for analysts. */
  charges(key = 'charges/2026-11-24/acme.json.gz'): unknown[] {
    const lines = this.stored.get(key)?.split('\n').slice(0, -1) ?? [];
    return lines.map((line) => JSON.parse(line));
  }

  #call(call: string): void {
    this.calls.push(call);
    this.before(call);
  }

  #logExport(): LogExport {
    return {
      start: async (subAccountId, period) => {
        this.#call(`start ${subAccountId}`);
        const id = `job-${this.#jobs.size + 1}`;
        this.#jobs.set(id, { subAccountId, ...period, polls: 0 });
        return id;
      },
      poll: async (_, id) => {
        this.#call(`poll ${id}`);
        const job = this.#jobs.get(id);
        if (!job) throw new LogExportError('job-unknown', 'no such job');
        job.polls++;
        const other = this.answer(job.polls);
        if (other) return other;
        if (job.polls === 1) return { state: 'pending', status: 'queued' };
        const isEmpty = !this.always && this.#select(id).length === 0;
        return { state: 'succeeded', links: isEmpty ? [] : [{ link: id, expires: undefined }] };
      },
    };
  }

  #download(link: string | undefined): DownloadedFiles {
    this.#call('download');
    const files = link === undefined ? [] : this.files(this.#select(link)).map((text) => Buffer.from(text));
    return {
      read: () =>
        files.map(async function* (file) {
          yield file;
        }),
      [Symbol.dispose]: () => this.#call('close'),
    };
  }

  #select(id: string): LegRow[] {
    const { subAccountId = '', from, to } = this.#jobs.get(id) ?? {};
    if (!from || !to) return [];
    const isSelected = ({ InitiatedAt }: LegRow) =>
      InitiatedAt >= from.toISOString() && InitiatedAt < to.toISOString();
    return (this.rows.get(subAccountId) ?? []).filter(isSelected);
  }

  #objects(): Objects {
    return {
      readJson: async (key) => {
        this.#call(`read ${key}`);
        const text = this.stored.get(key);
        return text === undefined ? undefined : text === '' ? null : JSON.parse(text);
      },
      writeJson: async (key, value) => {
        this.#call(`write ${key}`);
        this.stored.set(key, JSON.stringify(value));
      },
      writeRows: async (key, fd, rows) => {
        this.#call(`write ${key}`);
        this.#rowsOf.set(key, rows);
        const content = await buffer(createReadStream('', { fd, start: 0, autoClose: false }));
        this.stored.set(key, gunzipSync(content).toString());
      },
      rowsOf: async (key) => this.#rowsOf.get(key) ?? 0,
    };
  }
}
