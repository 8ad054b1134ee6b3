import { gunzipSync } from 'node:zlib';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newRecord, receivedSummary } from '../../functions/vss/record.ts';
import { awaitRecords, deliver, deliverLate, readRecords } from '../../infra/local/examples.ts';
import { Switches } from '../../infra/local/fake-8x8/switches.ts';
import type { LocalStack } from '../../infra/local/local-stack.ts';
import { API_KEY } from '../../infra/local/services.ts';
import { summaryBody, summaryOf } from '../functions/summaries.ts';
import { vssWebhook } from '../infra/commands/vss-webhook.ts';
import { rowsIn } from '../infra/local/fake-log-export.ts';
import { queueDepth } from '../queue-depth.ts';
import { startStack } from '../start-stack.ts';

/**
 * The promise that reconciliation makes: every session that 8x8 had is in the table, also those that 8x8 never delivered.
 * What was never delivered is marked as reconstructed; what is delivered late replaces the reconstruction and is no
 * conflict; and a session that was delivered is not changed. The charges are those of 8x8's log export, once per leg.
 *
 * What could break it: faults of 8x8 in each call, a function that is killed, a second run, deliveries that overtake
 * reconstructions or are overtaken by them, and rows of a session in several files.
 */

const DAY = '2026-11-24';
const SESSIONS = 40;
const LOST = 12;
const LATE = 4;

let stack: LocalStack;
let stage: string;
const logged: string[] = [];
beforeAll(async () => {
  stack = await startStack({ log: (line) => logged.push(line) });
  stage = `local:${new URL(stack.webhookUrl).port}`;
});
afterAll(() => stack.stop());

const bodies = Array.from({ length: SESSIONS }, (_, i) => bodyOf(i));

/** A session of two legs. */
function bodyOf(i: number): string {
  const at = (second: number) => `${DAY}T${String(i % 24).padStart(2, '0')}:00:${second}Z`;
  const leg = (name: string, callDirection: string, second: number) => ({
    callId: `call-${name}-${i}`,
    callDirection,
    callType: 'PSTN',
    initiatedTimestamp: at(second),
    connectedTimestamp: at(second + 5),
    disconnectedTimestamp: at(second + 20),
    callDuration: 15,
    source: `+6591000${100 + i}`,
    destination: `+6568332${100 + i}`,
    sourceCountryCode: 'SG',
    destinationCountryCode: 'SG',
    callStatus: 'COMPLETED',
  });
  return summaryBody({
    sessionId: sessionIdOf(i),
    startTime: at(10),
    endTime: at(32),
    callCount: 2,
    sessionStatus: i % 3 === 0 ? 'BUSY' : 'COMPLETED',
    details: { callA: leg('a', 'INBOUND', 10), callB: leg('b', 'OUTBOUND', 12) },
  });
}

function sessionIdOf(i: number): string {
  return `session-${i}`;
}

function setSwitches(switches: object): void {
  stack.fake8x8.switches = v.parse(Switches, switches);
}

const reconcile = (...options: string[]) =>
  vssWebhook(['reconcile', '--stage', stage, '--from', DAY, '--to', DAY, ...options]);

/** Waits until the recorder has recorded what is in the queue. */
const queueIsEmpty = () => expect.poll(() => queueDepth(stack.sqs, stack.queueUrl)).toBe(0);

describe('of the sessions that 8x8 had, with faults, kills and late deliveries', () => {
  it('each is recorded once, and those that were never delivered are marked', async () => {
    // The first sessions are lost, and the first of these are delivered late.
    setSwitches({ lose: LOST });
    for (const body of bodies) await deliver(stack, body);
    await awaitRecords(
      stack,
      bodies.slice(LOST).map((_, i) => sessionIdOf(i + LOST)),
    );
    const delivered = await readRecords(stack);
    expect(delivered.length).toBe(SESSIONS - LOST);

    // 8x8 loses the answer to a start, fails to answer a poll, and cuts a file off; the function is killed.
    setSwitches({
      faults: [
        { on: 'start', fault: 'dropped-after' },
        { on: 'poll', fault: 503 },
        { on: 'download', fault: 500 },
      ],
      logExport: {
        polls: 2,
        links: 3,
        headers: 'first',
        currencies: ['USD', 'SGD'],
        cut: { after: 700, downloads: 1 },
      },
    });
    const killed = reconcile();
    const isPolled = ({ requests }: LocalStack['fake8x8']) =>
      requests.some((each) => /^GET .*exports/.test(each));
    await expect.poll(() => isPolled(stack.fake8x8)).toBe(true);
    const functionOf = [...stack.functions.values()].find(({ arn }) =>
      arn.includes('ReconciliationFunction'),
    );
    await expect.poll(() => functionOf?.kill()).toBe(true);
    expect(await killed).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('exited during the invocation'),
    });

    // Half of the late deliveries arrive before their sessions are reconciled, at the same time as it goes on.
    const [first, second, third, fourth] = bodies;
    const resumed = reconcile();
    for (const body of [first, second]) await deliverLate(stack, body ?? '');
    const { stdout, code } = await resumed;
    expect(stdout).toContain(`8x8_test: ${SESSIONS} exported`);
    expect(code).toBe(0);
    await queueIsEmpty();
    for (const body of [third, fourth]) await deliverLate(stack, body ?? '');
    await queueIsEmpty();

    setSwitches({ logExport: { polls: 0, currencies: ['USD', 'SGD'] } });
    const again = await reconcile('--again');
    await queueIsEmpty();
    expect(again.stdout).toContain(
      `8x8_test: ${SESSIONS} exported, ${SESSIONS} matched, 0 missing, 0 recorded, 0 differing, 0 rows refused, ${LOST - LATE} reconstructed earlier\n`,
    );

    const records = new Map((await readRecords(stack)).map((record) => [record.sessionId, record]));
    expect([...records.keys()].sort()).toEqual(bodies.map((_, i) => sessionIdOf(i)).sort());
    for (const [i, body] of bodies.entries()) {
      const record = records.get(sessionIdOf(i));
      const isReconstructed = i >= LATE && i < LOST;
      expect(record?.['reconstructedFrom']).toBe(isReconstructed ? 'log-export' : undefined);
      expect(record?.['alternates']).toBeUndefined();
      const { digest: _, version: __, ...expected } = newRecord(receivedSummary(summaryOf(body), ''));
      expect(record).toMatchObject(
        isReconstructed
          ? { sessionStatus: expected.sessionStatus, endTime: expected.endTime, callCount: 2 }
          : JSON.parse(
              JSON.stringify({ ...expected, receivedAt: record?.['receivedAt'], revision: record?.revision }),
            ),
      );
    }
    // Those that were delivered at once are untouched.
    for (const record of delivered) expect(records.get(record.sessionId)).toEqual(record);
  });

  it('the charges of every leg are kept once, and equal those of the export', async () => {
    const charges = await readCharges();

    expect(charges.map(({ CallId }) => CallId).sort()).toEqual(
      bodies.flatMap((_, i) => [`call-a-${i}`, `call-b-${i}`]).sort(),
    );
    const exported = await exportedRows();
    expect(totals(charges)).toEqual(totals(exported));
    expect(Object.keys(totals(charges)).sort()).toEqual(['SGD', 'USD']);
  });

  it('none was in conflict, and no number, link or key was logged', () => {
    const all = logged.join('\n');

    expect(all).not.toContain('ConflictingSummaries');
    expect(all).not.toContain(API_KEY);
    expect(all).not.toMatch(/\/download\//);
    expect(all).not.toMatch(/\+?65(91000|68332)\d{3}/);
  });
});

describe('a stage that never had a delivery', () => {
  it('reports missing sessions without recording them, and later records them', async () => {
    const lost = summaryBody({
      sessionId: 'reported',
      startTime: '2026-11-20T08:00:00Z',
      endTime: '2026-11-20T08:01:00Z',
      details: {
        callA: {
          callId: 'reported',
          initiatedTimestamp: '2026-11-20T08:00:00Z',
          disconnectedTimestamp: '2026-11-20T08:01:00Z',
        },
      },
    });
    setSwitches({ lose: 1, logExport: { polls: 0 } });
    await deliver(stack, lost);
    const window = ['--from', '2026-11-19', '--to', '2026-11-21', '--sub-account', '8x8_test'];

    const reported = await vssWebhook(['reconcile', '--stage', stage, ...window, '--report']);
    expect(reported.stdout).toContain('8x8_test: 1 exported, 0 matched, 1 missing, 0 recorded');
    expect(reported.stdout).toContain('missing  reported\n');
    expect(reported.stdout).toContain('3 days: 1 exported, 1 missing, 0 recorded');
    const recorded = await vssWebhook(['reconcile', '--stage', stage, ...window]);
    expect(recorded.stdout).toContain('1 missing, 1 recorded');
    expect(await awaitRecords(stack, ['reported'])).toMatchObject([{ reconstructedFrom: 'log-export' }]);
  });
});

const Charge = v.looseObject({
  CallId: v.string(),
  TotalPriceOfCall: v.string(),
  UnitPriceCurrency: v.string(),
});
type Charge = v.InferOutput<typeof Charge>;

async function readCharges(): Promise<Charge[]> {
  const { Contents = [] } = await stack.s3.send(
    new ListObjectsV2Command({ Bucket: stack.bucketName, Prefix: `charges/${DAY}/` }),
  );
  const charges: Charge[] = [];
  for (const { Key } of Contents) {
    const { Body } = await stack.s3.send(new GetObjectCommand({ Bucket: stack.bucketName, Key }));
    const text = gunzipSync((await Body?.transformToByteArray()) ?? '').toString();
    for (const line of text.trim().split('\n')) charges.push(v.parse(Charge, JSON.parse(line)));
  }
  return charges;
}

/** The rows of the day in 8x8's export, read without the stack's own client. */
async function exportedRows(): Promise<Charge[]> {
  const switches = { polls: 0, currencies: ['USD', 'SGD'] };
  setSwitches({ logExport: switches });
  const headers = { Authorization: `Bearer ${API_KEY}` };
  const url = `${stack.endpoints.fake8x8}/api/v1/subaccounts/8x8_test/messages/exports`;
  const body = JSON.stringify({ from: `${DAY}T00:00:00Z`, to: `${DAY}T23:59:59Z`, limit: 0 });
  const started = v.parse(
    v.object({ jobId: v.string() }),
    await (await fetch(url, { method: 'POST', headers, body })).json(),
  );
  const { data } = v.parse(
    v.object({ data: v.tuple([v.string()]) }),
    await (await fetch(`${url}/${started.jobId}`, { headers })).json(),
  );
  return v.parse(v.array(Charge), rowsIn(await (await fetch(data[0], { headers })).text()));
}

/** The total price by currency, in ten-thousandths, so that it is exact. */
function totals(charges: readonly Charge[]): Record<string, bigint> {
  const sums: Record<string, bigint> = {};
  for (const { UnitPriceCurrency, TotalPriceOfCall } of charges) {
    const [units = '', decimals = ''] = TotalPriceOfCall.split('.');
    sums[UnitPriceCurrency] = (sums[UnitPriceCurrency] ?? 0n) + BigInt(units + decimals.padEnd(4, '0'));
  }
  return sums;
}
