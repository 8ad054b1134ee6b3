import { setTimeout } from 'node:timers/promises';
import { downloader } from '../../functions/log-export/download.ts';
import { dayStates } from '../../functions/reconciliation/day-states.ts';
import { createHandler } from '../../functions/reconciliation/invocation.ts';
import { telemetry } from '../functions/telemetry.ts';

/**
 * Reconciles one exported day with `every`th of its sessions missing, and prints what it took as JSON. The download is
 * real; the table, the bucket and the queue answer at once.
 */

const [, , link = '', every = ''] = process.argv;
const DAY = '2026-11-24';

const startedAt = performance.now();
/** By CPU time, so that a busy machine does not reach the time limit of the function. */
const now = () => Date.parse('2026-11-25T06:30:00Z') + process.resourceUsage().userCPUTime / 1_000;
const { origin } = new URL(link);
const stored = new Map<string, unknown>();
const objects = {
  readJson: async (key: string) => stored.get(key),
  writeJson: async (key: string, value: unknown) => void stored.set(key, value),
  writeRows: async () => {},
  rowsOf: async () => 0,
};
const delivered = { subAccountId: 'acme', status: 'COMPLETED', reconstruction: undefined };
const handler = createHandler({
  connect: async () => ({
    logExport: {
      start: async () => 'job',
      poll: async () => ({ state: 'succeeded', links: [{ link, expires: undefined }] }),
    },
    download: downloader({ baseUrl: origin, apiKey: 'key' }),
  }),
  subAccountIds: ['acme'],
  mode: 'record',
  objects,
  states: dayStates(objects, now),
  lookUp: async (ids) =>
    // By the number that each id begins with: a missing session is looked up in several spellings.
    new Map(ids.filter((id) => Number(id.slice(0, 8)) % Number(every) !== 0).map((id) => [id, delivered])),
  retentionDays: undefined,
  queueAge: async () => 0,
  acceptedDeliveries: async () => 0,
  deadLetterSessions: async () => new Set(),
  send: async () => {},
  pause: () => setTimeout(0),
  now,
  ...telemetry(),
});
const window = { subAccountId: 'acme', from: DAY, to: DAY, mode: 'record', beyondLimit: true };
const [day] = await handler({ window });
const { userCPUTime, maxRSS } = process.resourceUsage();
process.stdout.write(
  JSON.stringify({
    seconds: (performance.now() - startedAt) / 1_000,
    cpuSeconds: userCPUTime / 1e6,
    megabytes: maxRSS / 1_000,
    state: day?.state,
    recorded: day?.result?.recorded ?? 0,
  }),
);
