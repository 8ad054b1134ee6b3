import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { recordSession } from '../../functions/recorder/record-session.ts';
import type { StoredRecords } from '../../functions/recorder/session-table.ts';
import { ERASED_AT } from '../../functions/recorder/tombstone.ts';
import { canonicalJson } from '../../functions/vss/json.ts';
import {
  merge,
  newRecord,
  type ReceivedSummary,
  receivedSummary,
  type SessionRecord,
} from '../../functions/vss/record.ts';
import { sessionEvent } from '../../functions/vss/session-event.ts';
import { readExports } from '../../infra/analytics/duckdb/export-folder.ts';
import { newestOf } from '../../infra/analytics/duckdb/newest-export.ts';
import { exportedItems } from '../../infra/commands/restore/exported-items.ts';
import { restoreAll } from '../../infra/commands/restore/restore-all.ts';
import { startDynalite } from '../functions/recorder/dynalite.ts';
import { emulatedTable } from '../functions/recorder/emulated-table.ts';
import { summaryBody, summaryOf } from '../functions/summaries.ts';
import { addIncrement, exportOf, newFolder } from '../infra/analytics/exported.ts';

/**
 * The promise to whoever restores a table that is in use: nothing that was delivered is lost. Whatever was delivered,
 * lost by mistake, erased and exported before, while restores run, are killed half-way and run again, and the recorder
 * writes the same sessions: each session ends as the pure merge of what the table and the exports had of it, once, and
 * an erased one stays erased. A restore stores no event.
 *
 * What could break it: a write that does not check what it replaces, an incremental export that is applied in the wrong
 * order, a deletion that is not applied, a tombstone that is overwritten, and a state in memory that a kill loses.
 */

const { endpoint, stop } = await startDynalite();
afterAll(stop);

const numRuns = Number(process.env['PROPERTY_RUNS'] ?? 24) / 2;

/** A change of the table. */
type Change = Delivery | { does: 'erase' | 'lose'; sessionId: string };
interface Delivery {
  does: 'deliver';
  sessionId: string;
  version: number;
  second: number;
  isReconstructed: boolean;
}
type Export = { does: 'full' | 'incremental' };
/** A restore that is killed before one of its writes. */
type Kill = { does: 'kill'; writes: number };

const sessionId = fc.constantFrom('a', 'b', 'c', 'd');
const delivery: fc.Arbitrary<Change> = fc.record({
  does: fc.constant('deliver'),
  sessionId,
  version: fc.nat(2),
  second: fc.nat(3),
  isReconstructed: fc.boolean(),
});
const erasure: fc.Arbitrary<Change> = fc.record({ does: fc.constant('erase'), sessionId });
const loss: fc.Arbitrary<Change> = fc.record({ does: fc.constant('lose'), sessionId });
const anExport: fc.Arbitrary<Export> = fc.record({ does: fc.constantFrom('full', 'incremental') });
const kill: fc.Arbitrary<Kill> = fc.record({ does: fc.constant('kill'), writes: fc.nat(3) });

const change = fc.oneof(
  { weight: 8, arbitrary: delivery },
  { weight: 1, arbitrary: erasure },
  { weight: 3, arbitrary: loss },
);
const listOf = <T>(arbitrary: fc.Arbitrary<T>, minLength: number, maxLength: number) =>
  fc.array(arbitrary, { minLength, maxLength, size: 'max' });
const exportsBetween = fc.oneof({ weight: 3, arbitrary: change }, { weight: 1, arbitrary: anExport });
const history = fc
  .tuple(listOf(exportsBetween, 6, 16), anExport, listOf(change, 2, 6))
  .map(([before, last, after]) => [...before, last, ...after]);
const concurrent = listOf(
  fc.oneof(
    { weight: 4, arbitrary: kill },
    { weight: 4, arbitrary: delivery },
    { weight: 1, arbitrary: erasure },
  ),
  2,
  8,
);

it('restores that are killed half-way lose nothing that the table or the exports have, and revive nothing erased', async () => {
  await fc.assert(
    fc.asyncProperty(history, concurrent, async (steps, meanwhile) => {
      const stage = await exportedStage();
      let exported: State = new Map();
      let live = exported;
      for (const each of steps) {
        if (isExport(each)) {
          await stage.export(each.does);
          exported = live;
        } else {
          await stage.change(each);
          live = changed(live, each);
        }
      }

      await Promise.all(
        meanwhile.map((each) => (each.does === 'kill' ? stage.restore(each.writes) : stage.change(each))),
      );
      await stage.restore();

      const expected = meanwhile
        .filter((each) => each.does !== 'kill')
        .reduce(changed, joined(exported, live));
      expect(await stage.contents()).toEqual(contentsOf(expected));
      await stage.stop();
    }),
    { numRuns },
  );
});

const isExport = (step: Change | Export): step is Export =>
  step.does === 'full' || step.does === 'incremental';

/** What a table has of each session, by the pure merge. */
type State = ReadonlyMap<string, SessionRecord | 'erased'>;

function changed(state: State, change: Change): State {
  const { sessionId: id } = change;
  if (change.does === 'lose') return new Map([...state].filter(([other]) => other !== id));
  return joined(
    state,
    new Map([[id, change.does === 'deliver' ? newRecord(summaryOfDelivery(change)) : 'erased']]),
  );
}

function joined(a: State, b: State): State {
  return new Map(
    [...new Set([...a.keys(), ...b.keys()])].map((id) => {
      const [one, other] = [a.get(id), b.get(id)];
      if (one === undefined || other === undefined) return [id, one ?? other ?? 'erased'];
      return [id, one === 'erased' || other === 'erased' ? 'erased' : merge(one, other)];
    }),
  );
}

/** The content of each session, without the number of writes. */
function contentsOf(state: State): Record<string, string> {
  return Object.fromEntries(
    [...state]
      .map(([id, one]): [string, string] => [
        id,
        one === 'erased' ? one : canonicalJson({ ...one, revision: undefined, event: undefined }),
      ])
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function summaryOfDelivery(delivered: Delivery): ReceivedSummary {
  const { sessionId: id, version, second, isReconstructed } = delivered;
  const body = summaryBody({ sessionId: id, callCount: version, endTime: `2026-01-13T08:27:3${version}Z` });
  return receivedSummary(
    summaryOf(body),
    `2026-01-13T08:28:0${second}.000Z`,
    isReconstructed ? 'log-export' : undefined,
  );
}

/** A table with session events, whose exports are in a folder. The first one shows it empty. */
async function exportedStage() {
  const { table, stored, items, lose, stop: stopTable } = await emulatedTable(endpoint);
  const folder = newFolder();
  let hours = 0;
  const time = (hour: number) =>
    new Date(Date.parse('2026-11-21T00:00:00Z') + hour * 3_600_000).toISOString();
  let exported = new Map<string, object>();
  const recorder = {
    table,
    keepElsewhere: () => Promise.reject(new Error('The record is too large')),
    eventOf: (before: SessionRecord | undefined, after: SessionRecord) =>
      sessionEvent(before, after, { phoneNumbers: false }),
  };
  await exportOf([], { folder, time: time(hours) });

  return {
    async change(change: Change): Promise<void> {
      if (change.does === 'deliver') await recordSession(recorder, summaryOfDelivery(change));
      else if (change.does === 'lose') await lose(change.sessionId);
      else await stored.erase(change.sessionId, '2026-11-21T00:00:00.000Z');
    },

    async export(type: Export['does']): Promise<void> {
      const present = new Map((await items()).map((item) => [String(item['sessionId']), item]));
      const ids = new Set([...exported.keys(), ...present.keys()]);
      const changes = [...ids].flatMap((id) => {
        const [oldImage, newImage] = [exported.get(id), present.get(id)];
        if (canonicalJson(oldImage ?? null) === canonicalJson(newImage ?? null)) return [];
        return [
          { sessionId: id, written: hours, ...(oldImage && { oldImage }), ...(newImage && { newImage }) },
        ];
      });
      const [from, to] = [time(hours), time(++hours)];
      if (type === 'full') await exportOf([...present.values()], { folder, time: to });
      else addIncrement(folder, from, to, changes);
      exported = present;
    },

    /** Restores the exports, until it is killed before this number of writes. */
    async restore(writes = Number.POSITIVE_INFINITY): Promise<void> {
      const newest = newestOf(
        readExports(folder, () => {}),
        () => {},
      );
      let left = writes;
      const beforeWrite = (item: object) => {
        expect(item).not.toHaveProperty('event');
        if (left-- <= 0) throw new Killed();
      };
      const killable: StoredRecords = {
        ...stored,
        async add(one) {
          beforeWrite(one.record);
          return stored.add(one);
        },
        async replace(one, revision) {
          beforeWrite(one.record);
          return stored.replace(one, revision);
        },
        async erase(id, erasedAt) {
          beforeWrite({});
          return stored.erase(id, erasedAt);
        },
      };
      const restoring = restoreAll(exportedItems(newest, newest), {
        table: killable,
        selection: { sessionIds: undefined, from: undefined, to: undefined },
        perSecond: 1e9,
        isDryRun: false,
        interrupted: new AbortController().signal,
        note: (_, result) => expect(result).not.toHaveProperty('reason'),
      });
      await restoring.catch((error) => {
        if (!(error instanceof Killed)) throw error;
      });
    },

    async contents(): Promise<Record<string, string>> {
      const sessions = await items();
      const state = await Promise.all(
        sessions.map(
          async ({ sessionId: id }) => [String(id), (await table.read(String(id))) ?? 'erased'] as const,
        ),
      );
      for (const item of sessions)
        if (ERASED_AT in item) expect(Object.keys(item).toSorted()).toEqual([ERASED_AT, 'sessionId']);
      return contentsOf(new Map(state));
    },

    stop: stopTable,
  };
}

class Killed extends Error {}
