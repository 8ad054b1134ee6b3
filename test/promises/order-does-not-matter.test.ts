import { afterAll, expect, it, onTestFinished } from 'vitest';
import { convergenceSuite } from '../functions/recorder/convergence-suite.ts';
import { startDynalite } from '../functions/recorder/dynalite.ts';
import { summaryBody } from '../functions/summaries.ts';
import { emulatedStage } from './emulated-stage.ts';

/**
 * The promise to the readers of a record: its content does not depend on the order of arrival. Any list of deliveries,
 * shuffled, repeated, split into any batches and recorded by several recorders concurrently, results in the items that
 * the pure merge returns.
 *
 * What could break it: a merge that depends on the order of arrival, a race between two recorders, an item that does
 * not round-trip, and a value that DynamoDB changes.
 */

it('different summaries of a session, recorded concurrently, become one record that shows the latest', async () => {
  const stage = await emulatedStage({ recorders: 3 });
  onTestFinished(() => stage.stop());
  const endTimes = ['08:27:33', '08:27:35', '08:27:34', '08:27:36', '08:27:32'].map(
    (time) => `2026-01-13T${time}.000Z`,
  );
  const bodiesOf = (sessionId: string) => endTimes.map((endTime) => summaryBody({ sessionId, endTime }));
  stage.startRecorders();

  await Promise.all(
    [...bodiesOf('one-order'), ...bodiesOf('the-other').reverse()].map((body) => stage.deliver(body)),
  );

  await expect.poll(() => stage.queued()).toEqual([]);
  const [last, ...others] = endTimes.toSorted().reverse();
  const record = { endTime: last, alternates: others.map((endTime) => ({ endTime })), revision: 5 };
  expect([...(await stage.records()).values()]).toMatchObject([record, record]);
});

const { endpoint, stop } = await startDynalite();
afterAll(stop);

convergenceSuite(endpoint);
