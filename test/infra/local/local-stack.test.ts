import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awaitRecords, deliver, deliverLate, readRecords } from '../../../infra/local/examples.ts';
import type { LocalStack } from '../../../infra/local/local-stack.ts';
import { API_KEY } from '../../../infra/local/services.ts';
import { startStack } from '../../start-stack.ts';
import { oneCall } from './fake-log-export.ts';

let stack: LocalStack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.stop());

it('provisions the bucket of the exports', async () => {
  const object = { Bucket: stack.bucketName, Key: 'charges/2026-11-24/8x8_test.json.gz' };
  await stack.s3.send(new PutObjectCommand({ ...object, Body: 'rows' }));

  const { Body } = await stack.s3.send(new GetObjectCommand(object));
  expect(await Body?.transformToString()).toBe('rows');
});

describe('the fake 8x8', () => {
  it('loses as many deliveries as it should, and delivers them late if it should', async () => {
    const [first, second, third] = ['lost-1', 'lost-2', 'lost-3'].map((sessionId) => oneCall({ sessionId }));
    if (!first || !second || !third) throw new Error();
    stack.fake8x8.switches.lose = 2;

    expect(await deliver(stack, first)).toBeUndefined();
    expect(await deliver(stack, second)).toBeUndefined();
    expect((await deliver(stack, third))?.status).toBe(200);
    expect(await awaitRecords(stack, ['lost-3'])).toHaveLength(1);
    expect(await readRecords(stack)).toMatchObject([{ sessionId: 'lost-3' }]);
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

  it('has sessions by HTTP, which it exports but does not deliver', async () => {
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
