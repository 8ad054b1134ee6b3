import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListExportsCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reconcileExample } from '../infra/commands/start/lost-delivery.ts';
import { awaitRecords, deliver, deliverLate, examples, readRecords } from '../infra/local/examples.ts';
import type { LocalStack } from '../infra/local/local-stack.ts';
import { API_KEY } from '../infra/local/services.ts';
import { summaryBody } from './functions/summaries.ts';
import { chargeRow, writeCharges } from './infra/analytics/charged.ts';
import { ask } from './infra/analytics/exported.ts';
import { vssWebhook } from './infra/commands/vss-webhook.ts';
import { oneCall } from './infra/local/fake-log-export.ts';
import { queueDepth } from './queue-depth.ts';
import { startStack } from './start-stack.ts';

/**
 * Tests the local stack from 8x8's HTTP request to the stored record, with the template and the bundles that are
 * deployed. The tests in promises/ cover the guarantees; these cover the rest of the integration.
 */

let stack: LocalStack;
const logged: string[] = [];
beforeAll(async () => {
  stack = await startStack({
    schedules: true,
    log: (line) => logged.push(line),
    // As with retentionDays: 30.
    edit: (template) => template.replaceAll('"TABLE_NAME":', '"RETENTION_DAYS": "30", "TABLE_NAME":'),
  });
});
afterAll(() => stack.stop());

let sessions = 0;
const newSession = () => `end-to-end-${++sessions}`;

async function recordOf(sessionId: string) {
  const [record] = await awaitRecords(stack, [sessionId]);
  return record;
}

const isQueueEmpty = async () => (await queueDepth(stack.sqs, stack.queueUrl)) === 0;

describe('the deployment', () => {
  it('starts a full export of the table', async () => {
    const list = async () => (await stack.dynamodb.send(new ListExportsCommand({}))).ExportSummaries;

    await expect.poll(list).toMatchObject([{ ExportType: 'FULL_EXPORT', ExportStatus: 'COMPLETED' }]);
  });

  it('registers the webhook of each sub-account at 8x8, with the Authorization value that the webhook accepts', () => {
    const { WebhookUrl, SubAccountIds } = stack.outputs;
    const registered = [{ type: 'VSS', url: WebhookUrl, enabled: true, httpAuthHeader: stack.authorization }];

    expect(stack.authorization).toMatch(/^[A-Za-z0-9]{43}$/);
    expect(Object.fromEntries(stack.fake8x8.webhooks)).toEqual(
      Object.fromEntries(SubAccountIds.split(',').map((subAccountId) => [subAccountId, registered])),
    );
  });

  it('checks the registrations after the deployment', async () => {
    await expect
      .poll(() => logged.filter((line) => line.includes('WebhookRegistered')))
      .toEqual([
        expect.stringContaining(
          '"service":"vss-webhook-local","WebhookUnchecked":0,"WebhookRegistered":[1,1]',
        ),
      ]);
  });
});

describe('the webhook and the recorder', () => {
  it('records each published example', async () => {
    for (const { body } of examples) expect((await deliver(stack, body))?.status).toBe(200);

    const records = await awaitRecords(
      stack,
      examples.map(({ sessionId }) => sessionId),
    );

    const legs = Object.fromEntries(
      records.map(({ sessionId, legs }) => [sessionId, legs.map(({ leg }) => leg)]),
    );
    expect(legs).toEqual(
      Object.fromEntries(
        examples.map(({ sessionId, body }) => [
          sessionId,
          Object.keys(JSON.parse(body).payload.details)
            .map((key) => key.replace(/^C/, 'c'))
            .sort(),
        ]),
      ),
    );
  });

  it('stores a record with the expiry that retentionDays sets', async () => {
    const sessionId = newSession();
    await deliver(stack, summaryBody({ sessionId }));
    const days = 86_400;

    const expiresAt = Number((await recordOf(sessionId))?.['expiresAt']);
    const inThirtyDays = Date.now() / 1_000 + 30 * days;
    expect(Math.abs(expiresAt - inThirtyDays)).toBeLessThan(days);
  });
});

describe('API Gateway', () => {
  it('rejects a body of more than 10 MB with 413', async () => {
    const response = await deliver(stack, 'x'.repeat(10 * 1024 * 1024 + 1));

    expect(response?.status).toBe(413);
    expect(await response?.json()).toMatchObject({ type: 'urn:problem:vss-webhook:payload-too-large' });
  });
});

it('provisions the bucket of the exports', async () => {
  const object = { Bucket: stack.bucketName, Key: 'some/object' };
  await stack.s3.send(new PutObjectCommand({ ...object, Body: 'rows' }));

  const { Body } = await stack.s3.send(new GetObjectCommand(object));
  expect(await Body?.transformToString()).toBe('rows');
});

describe('the fake 8x8', () => {
  it('loses as many deliveries as it should, and delivers them late if it should', async () => {
    const [first, second, third] = ['lost-1', 'lost-2', 'lost-3'].map((sessionId) => oneCall({ sessionId }));
    if (!first || !second || !third) throw new Error();
    const lostRecords = async () =>
      (await readRecords(stack)).map(({ sessionId }) => sessionId).filter((id) => id.startsWith('lost-'));
    stack.fake8x8.switches.lose = 2;

    expect(await deliver(stack, first)).toBeUndefined();
    expect(await deliver(stack, second)).toBeUndefined();
    expect((await deliver(stack, third))?.status).toBe(200);
    expect(await awaitRecords(stack, ['lost-3'])).toHaveLength(1);
    expect(await lostRecords()).toEqual(['lost-3']);
    expect(stack.fake8x8.lost).toEqual([first, second]);

    expect((await deliverLate(stack, second)).status).toBe(200);
    expect(await awaitRecords(stack, ['lost-2'])).toHaveLength(1);
    expect(stack.fake8x8.lost).toEqual([first]);
    expect(() => deliverLate(stack, second)).toThrow('not lost');
  });

  it('names unknown switches', async () => {
    const body = JSON.stringify({ los: 1, logExport: { poll: 1 }, lag: -1 });
    const response = await fetch(`${stack.endpoints.fake8x8}/switches`, { method: 'PUT', body });

    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      messages: [
        'lag: Invalid value: Expected >=0 but received -1',
        'unknown switch logExport.poll',
        'unknown switch los',
      ],
    });
  });

  it('accepts sessions by HTTP, which it exports but does not deliver', async () => {
    const url = stack.endpoints.fake8x8;
    const add = async (body: string) => (await fetch(`${url}/sessions`, { method: 'POST', body })).status;
    expect([await add('{}'), await add(oneCall({ sessionId: 'by-http' }))]).toEqual([400, 204]);

    const started = await fetch(`${url}/api/v1/subaccounts/8x8_test/messages/exports`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${API_KEY}` },
    });
    expect(started.status).toBe(202);
    const had = [...stack.fake8x8.sessions.of('8x8_test', Date.now())].map(({ sessionId }) => sessionId);
    expect(had).toContain('by-http');
    expect((await readRecords(stack)).map(({ sessionId }) => sessionId)).not.toContain('by-http');
  });
});

it('the functions log one line with the session id for an accepted delivery', async () => {
  const sessionId = newSession();

  await deliver(stack, summaryBody({ sessionId }));
  await recordOf(sessionId);
  await expect.poll(isQueueEmpty).toBe(true);

  const lines = logged.filter((line) => line.includes(sessionId));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('"DeliveriesAccepted":1');
});

describe('an analyst', () => {
  it('can query delivered sessions in an export of the table', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vss-webhook-end-to-end-'));
    try {
      for (const { body, subAccountId } of examples) await deliver(stack, body, subAccountId);
      const expected = await awaitRecords(
        stack,
        examples.map(({ sessionId }) => sessionId),
      );
      const out = join(folder, 'exports');
      writeCharges(folder, { rows: [chargeRow('of another export', '1')] });
      const stage = `local:${new URL(stack.webhookUrl).port}`;
      const exported = await vssWebhook(['export', '--stage', stage, '--out', out]);
      const ids = examples.map(({ sessionId }) => `'${sessionId}'`).join();
      const { rows } = await ask(out, {
        sessions: `SELECT session_id, session_status, leg_count FROM sessions WHERE session_id IN (${ids})`,
        charges: 'SELECT * FROM call_charges',
      });

      expect(exported).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^Exported \d+ records to \S+\n\n/),
      });
      // There are no charges yet, and those beside the folder belong to something else.
      expect(rows('charges')).toEqual([]);
      expect(new Set(rows('sessions'))).toEqual(
        new Set(
          expected.map(({ sessionId, sessionStatus, legs }) => ({
            session_id: sessionId,
            session_status: sessionStatus,
            leg_count: String(legs.length),
          })),
        ),
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('can query the charges that reconciliation has stored, which replace those of an earlier stack in that folder only', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vss-webhook-end-to-end-'));
    try {
      const [example] = examples;
      if (!example) throw new Error('There are no examples');
      await deliver(stack, example.body, example.subAccountId);
      await reconcileExample(stack, example);
      const out = join(folder, 'exports');
      writeCharges(out, { day: '2020-01-01', rows: [chargeRow('earlier', '1')] });
      writeCharges(folder, { day: '2020-01-01', rows: [chargeRow('another', '1')] });
      const stage = `local:${new URL(stack.webhookUrl).port}`;
      const exported = await vssWebhook(['export', '--stage', stage, '--out', 'exports'], { cwd: folder });
      const { rows } = await ask(out, {
        charges: 'SELECT DISTINCT session_id, total_price > 0 AS is_priced FROM call_charges',
      });

      expect(exported.stdout).toContain(`\nCopied 1 file with charges to ${join(out, 'charges')}\n`);
      expect(rows('charges')).toContainEqual({ session_id: example.sessionId, is_priced: true });
      const ids = rows('charges').map((row) => row['session_id']);
      expect(ids).not.toContain('earlier');
      // Beside the folder, nothing is written, deleted or read.
      expect(ids).not.toContain('another');
      expect(readdirSync(join(folder, 'charges'))).toEqual(['2020-01-01']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('gets a helpful error when exporting a deployed stage, or a local stack that is not running', async () => {
    expect(await vssWebhook(['export', '--stage', 'prod'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('"prod" is not a local stack'),
    });
    expect(await vssWebhook(['export', '--stage', 'local:1'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /^No local stack is running on port 1\. Local stacks on this machine: --stage local/,
      ),
    });
  });
});
