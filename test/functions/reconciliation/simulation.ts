import { createReadStream } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import type { Job } from '../../../functions/log-export/job.ts';
import type { LegRow } from '../../../functions/log-export/leg-row.ts';
import type { LogExport } from '../../../functions/log-export/log-export.ts';
import { fromMessage, type Message } from '../../../functions/queue/message.ts';
import { createHandler } from '../../../functions/reconciliation/create-handler.ts';
import { dayStates } from '../../../functions/reconciliation/day-state.ts';
import type { Objects } from '../../../functions/reconciliation/objects.ts';
import type { RecordedSession } from '../../../functions/reconciliation/recorded-sessions.ts';
import type { Mode } from '../../../functions/reconciliation/window.ts';
import { readSummary } from '../../../functions/vss/summary.ts';
import { carried } from '../queue/carried.ts';
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
  /** What 8x8 answers to the nth poll of a job; undefined for its usual answer. */
  answer: (polls: number) => Job | undefined = () => undefined;
  /** The file at a link. */
  file = (rows: readonly LegRow[]): string => csvOf(rows);
  /** Called before everything that the function does outside of itself. May throw. */
  before: (call: string) => void = () => {};
  queueAge = 0;
  /** Why 8x8 cannot be called, such as a secret that is missing. */
  connectionFailure: Error | undefined;
  readonly calls: string[] = [];
  readonly table = new Map<string, RecordedSession>();
  readonly queue: Message[] = [];
  /** Undefined while another reader hides messages. */
  deadLetters: Set<string> | undefined = new Set();
  readonly stored = new Map<string, string>();
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
        return { logExport: this.#logExport(), download: ({ link }) => this.#download(link) };
      },
      subAccountIds,
      mode,
      states: dayStates(objects, now),
      objects,
      retentionDays: undefined,
      lookUp: async (ids) => {
        this.#call('look up');
        return new Map(
          ids.flatMap((id) => {
            const recorded = this.table.get(id);
            return recorded ? [[id, recorded] as const] : [];
          }),
        );
      },
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

  /** Records the messages in the queue, as the recorder does. Returns the ids of their sessions. */
  record(): string[] {
    return this.queue.splice(0).map((message) => {
      const { body, reconstructedFrom } = fromMessage(carried(message));
      const read = readSummary(body);
      if (read.outcome !== 'summary' || reconstructedFrom !== 'log-export')
        throw new Error('no reconstruction');
      const { sessionId, sessionStatus, callCount } = read.summary;
      const known = this.table.get(sessionId);
      if (!known || known.reconstructedLegs !== undefined)
        this.table.set(sessionId, { status: sessionStatus, reconstructedLegs: callCount });
      return sessionId;
    });
  }

  /** The saved state of a day. */
  state(subAccountId = 'acme', day = '2026-11-24'): unknown {
    return JSON.parse(this.stored.get(`reconciliation/state/${subAccountId}/${day}.json`) ?? '{}');
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
        if (!job) return { state: 'gone' };
        job.polls++;
        const other = this.answer(job.polls);
        if (other) return other;
        if (job.polls === 1) return { state: 'pending', status: 'queued' };
        if (this.#select(id).length === 0) return { state: 'empty' };
        return { state: 'succeeded', links: [id], expires: undefined };
      },
      cancel: async (_, id) => this.#call(`cancel ${id}`),
    };
  }

  async *#download(link: string): AsyncGenerator<Uint8Array> {
    this.#call('download');
    yield Buffer.from(this.file(this.#select(link)));
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
        return text === undefined ? undefined : JSON.parse(text);
      },
      writeJson: async (key, value) => {
        this.#call(`write ${key}`);
        this.stored.set(key, JSON.stringify(value));
      },
      writeFile: async (key, fd) => {
        this.#call(`write ${key}`);
        const content = await buffer(createReadStream('', { fd, start: 0, autoClose: false }));
        this.stored.set(key, gunzipSync(content).toString());
      },
    };
  }
}
