import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { recordedSessions } from '../../functions/reconciliation/recorded-sessions.ts';
import { recordSession } from '../../functions/recorder/record-session.ts';
import { sessionTable, storedRecords } from '../../functions/recorder/session-table.ts';
import { receivedSummary } from '../../functions/vss/record.ts';
import { SessionItems } from '../../infra/commands/erase/session-items.ts';
import { restoreItem } from '../../infra/commands/restore/restore-item.ts';
import { startEmulators } from '../emulators.ts';
import { summaryBody, summaryOf } from '../functions/summaries.ts';

/**
 * The promise to whoever asks to be forgotten: an erased session stays erased. Neither a redelivery, nor a
 * reconstruction from 8x8's log export, nor a restore of an export brings it back, whether it comes after the erasure,
 * between its steps, or reads the record before and writes it after.
 *
 * What could break it: a write without a condition on what is there, a mark that expires or that a writer replaces, and
 * an erasure that is killed between its steps.
 */

const { dynamodb, tableName, stop } = await startEmulators();
afterAll(stop);

const table = sessionTable(dynamodb, tableName, 30);
const erasure = new SessionItems(dynamodb, tableName);
type Item = Awaited<ReturnType<typeof read>>;

async function read(sessionId: string) {
  const Key = { sessionId: { S: sessionId } };
  const { Item = {} } = await dynamodb.send(
    new GetItemCommand({ TableName: tableName, Key, ConsistentRead: true }),
  );
  return Item;
}

async function deliver(sessionId: string, callCount: number, reconstructedFrom?: string): Promise<void> {
  const summary = summaryOf(summaryBody({ sessionId, callCount, sessionStatus: 'BUSY' }));
  const received = receivedSummary(summary, '2026-01-13T08:28:00.000Z', reconstructedFrom);
  const keepElsewhere = () => Promise.reject(new Error('The record is too large'));
  await recordSession({ table, keepElsewhere }, received);
}

/** What may bring a session back. */
const RETURNS = {
  delivery: (sessionId: string) => deliver(sessionId, 1),
  'another delivery': (sessionId: string) => deliver(sessionId, 2),
  async reconstruction(sessionId: string) {
    const found = await recordedSessions(dynamodb, tableName)([sessionId]);
    if (found.get(sessionId) !== 'erased') await deliver(sessionId, 3, 'log-export');
  },
  async restore(_: string, exported: Item) {
    const options = { table: storedRecords(dynamodb, tableName), isSelected: () => true, isDryRun: false };
    await restoreItem(exported, { ...options, now: () => 0 });
  },
} as const;
type Return = keyof typeof RETURNS;

const returns = fc.array(
  fc.constantFrom<Return>('delivery', 'another delivery', 'reconstruction', 'restore'),
  {
    maxLength: 6,
  },
);
let sessions = 0;

it('an erased session is brought back by nothing that comes during or after its erasure', async () => {
  await fc.assert(
    fc.asyncProperty(returns, returns, returns, fc.boolean(), async (before, between, after, isKilled) => {
      const sessionId = `session-${++sessions}`;
      await deliver(sessionId, 1);
      const exported = await read(sessionId);
      const all = (each: readonly Return[]) => each.map((name) => RETURNS[name](sessionId, exported));

      await Promise.all([...all(before), erasure.mark(sessionId)]);
      if (isKilled) {
        await Promise.all(all(between));
        await erasure.mark(sessionId);
      }
      await Promise.all([...all(between), erasure.bury(sessionId)]);
      await Promise.all(all(after));

      expect(Object.keys(await read(sessionId)).toSorted()).toEqual(['erasedAt', 'sessionId']);
    }),
    { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 20) },
  );
});
