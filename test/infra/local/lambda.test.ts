import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type FunctionDefinition, LocalFunction } from '../../../infra/local/lambda.ts';

/** A local function behaves as in Lambda. */

const directory = mkdtempSync(join(tmpdir(), 'vss-webhook-test-'));
afterAll(() => rmSync(directory, { recursive: true }));

let bundles = 0;
let started: LocalFunction;
let logged: string[];
afterEach(() => started.stop());

function run(
  handler: string,
  definition: Partial<FunctionDefinition> = {},
): Pick<LocalFunction, 'invoke' | 'stop'> {
  const bundle = join(directory, `bundle-${++bundles}.cjs`);
  writeFileSync(bundle, `exports.handler = ${handler};`);
  logged = [];
  started = new LocalFunction(
    { name: 'test', bundle, timeoutSeconds: 5, memoryMegabytes: 256, environment: {}, ...definition },
    { AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:1' },
    (line) => logged.push(line),
  );
  const current = started;
  return { invoke: (event) => current.invoke(event), stop: () => current.stop() };
}

describe('LocalFunction', () => {
  it('returns the result of its handler for each event', async () => {
    const { invoke } = run('async ({ a, b }) => a + b');

    expect(await Promise.all([1, 2, 3, 4, 5].map((a) => invoke({ a, b: 1 })))).toEqual([2, 3, 4, 5, 6]);
  });

  it('sets the variables of the template and of Lambda, and none of this machine', async () => {
    const { invoke } = run('async () => process.env', { environment: { TABLE_NAME: 'sessions' } });

    expect(await invoke({})).toEqual({
      TABLE_NAME: 'sessions',
      AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:1',
      AWS_REGION: 'us-east-1',
      AWS_LAMBDA_FUNCTION_NAME: 'test',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      TZ: ':UTC',
    });
  });

  it('rejects with the error of its handler, and keeps the process', async () => {
    const { invoke } = run(
      'async ({ wrong }) => { if (wrong) throw new TypeError("wrong"); return process.pid; }',
    );
    const process = await invoke({});

    await expect(invoke({ wrong: true })).rejects.toThrow('test: TypeError: wrong');
    expect(await invoke({})).toBe(process);
  });

  it('kills the process after the timeout, and starts a new one', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const { invoke } = run(
      'async ({ slow }) => { if (slow) console.log("begun"); while (slow); return "done"; }',
    );
    const timedOut = expect(invoke({ slow: true })).rejects.toThrow('test timed out after 5 seconds');
    await expect.poll(() => logged).toEqual(['begun']);

    vi.advanceTimersByTime(5_000);

    await timedOut;
    expect(await invoke({})).toBe('done');
  });

  it('rejects if the bundle cannot be loaded', async () => {
    const { invoke } = run('1; throw new Error("broken bundle")');

    await expect(invoke({})).rejects.toThrow('The process of test exited while loading its bundle');
  });

  it('rejects the current event when the process exits, and handles the waiting ones', async () => {
    const { invoke } = run('async ({ dies }) => { if (dies) process.exit(3); return "done"; }');

    const results = await Promise.allSettled([true, true, false, false].map((dies) => invoke({ dies })));

    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled', 'fulfilled']);
    expect(results[0]).toMatchObject({
      reason: new Error('The process of test exited during the invocation'),
    });
  });

  it('handles one event at a time in each process', async () => {
    const { invoke } = run(
      'async () => { globalThis.at = (globalThis.at ?? 0) + 1; await new Promise(r => setTimeout(r, 20)); return globalThis.at--; }',
    );

    expect(await Promise.all(Array.from({ length: 8 }, () => invoke({})))).toEqual(Array(8).fill(1));
  });

  it('passes on standard output and standard error line by line', async () => {
    const { invoke } = run('async () => { console.log("one\\ntwo"); console.error("three"); }');

    await invoke({});

    await expect.poll(() => logged.toSorted()).toEqual(['one', 'three', 'two']);
  });

  it('rejects running, waiting and new events after it was stopped', async () => {
    const { invoke, stop } = run('() => new Promise(() => {})');
    const waiting = [1, 2, 3].map(() => invoke({}));

    stop();

    const results = await Promise.allSettled([...waiting, invoke({})]);
    expect(results.map(({ status }) => status)).toEqual(Array(4).fill('rejected'));
  });
});
