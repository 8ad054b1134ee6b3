import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { eventWriter, readConsumers } from '../../../infra/commands/start/files.ts';
import { runLocalStack } from '../../../infra/commands/start/run-local-stack.ts';
import type { LocalStack } from '../../../infra/local/local-stack.ts';
import { summaryBody } from '../../functions/summaries.ts';
import { startStack } from '../../start-stack.ts';
import { root } from '../run.ts';
import { vssWebhook } from './vss-webhook.ts';

/** Tests what `npm start` prints, to which stream, and its exit code. */

const start = (...options: string[]) => vssWebhook(['start', ...options]);

describe('npm start', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vss-webhook-start-'));
  const eventsFile = join(folder, 'events.jsonl');
  let printed = '';
  let interrupt: () => Promise<unknown>;
  const prints = (expected: RegExp) =>
    vi.waitFor(() => expect(printed).toMatch(expected), { timeout: 300_000, interval: 50 });
  /** Posts as the printed curl command does. It is parsed, because not every machine has curl. */
  async function post(body: string | Buffer, authorization?: string) {
    const [, url = '', name = '', value = ''] = /^ *curl -i (\S+) -H '([\w-]+): (\S+)'/m.exec(printed) ?? [];
    return fetch(url, { method: 'POST', headers: { [name]: authorization ?? value }, body });
  }

  beforeAll(async () => {
    const consumers = join(folder, 'consumers.json');
    writeFileSync(
      consumers,
      JSON.stringify({
        Resources: { Retries: { Type: 'AWS::SQS::Queue' } },
        Outputs: { RetriesUrl: { Value: { Ref: 'Retries' } } },
      }),
    );
    const options = ['--port', '0', '--events', eventsFile, '--consumers', consumers];
    // The local stack needs no proxy.
    const proxy = 'http://127.0.0.1:1';
    const env = { ...process.env, HTTP_PROXY: proxy, HTTPS_PROXY: proxy, NODE_USE_ENV_PROXY: '1' };
    // A terminal sends Ctrl-C to the whole process group.
    const child = spawn('npm', ['start', '--', ...options], { cwd: root, detached: true, env });
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      printed += chunk;
    });
    const exited = once(child, 'exit');
    interrupt = () => {
      process.kill(-(child.pid ?? 0), 'SIGINT');
      return exited.then(([code]) => code);
    };
    await prints(/Press Ctrl-C/);
  });
  afterAll(async () => {
    expect(await interrupt()).toBe(0);
    rmSync(folder, { recursive: true });
  });

  it('loses a delivery, which reconciliation finds and records', () => {
    expect(printed).toMatch(/^ {2}lost {2}ivr-busy\n {2}200 {3}ivr-hangup$/m);
    expect(printed).toContain(
      '2026-01-13, 8x8_test: 3 sessions exported, 2 recorded already, 1 missing, 1 recorded now\n',
    );
    expect(printed).toMatch(/^ {2}ece96728-f059-11f0-baa6-c147150ab00e +8x8_test +BUSY .+ log-export$/m);
    expect(printed.match(/ log-export$/gm)).toHaveLength(1);
  });

  it('prints the events of the examples, and writes them to the file of --events', () => {
    const events = readFileSync(eventsFile, 'utf8').trim().split('\n');
    expect(events).toHaveLength(7);
    for (const event of events) {
      const { source, detail } = JSON.parse(event);
      expect(source).toBe('vss-webhook-local');
      expect(printed).toContain(`  event: Session Recorded, ${detail.sessionId} ${detail.sessionStatus}`);
    }
    expect(printed.match(/^ {2}event: .* BUSY, a retry can help$/gm)).toHaveLength(1);
  });

  it('provisions the template of --consumers, and prints its outputs', () => {
    expect(printed).toMatch(/^ {2}RetriesUrl {5}http:\S+-Retries$/m);
  });

  it('prints a working curl command', async () => {
    const [, file = ''] = / --data-binary @(\S+)$/m.exec(printed) ?? [];
    const response = await post(await readFile(join(root, file)));

    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: 'accepted', sessionId: 'a-session-of-my-own' });
  });

  it('reports an incomplete summary, and shows its record with - for absent attributes', async () => {
    const response = await post(
      summaryBody({ sessionId: 'incomplete', sessionStatus: null, startTime: null, endTime: null }),
    );

    expect(response.status).toBe(200);
    await prints(/^ {2}incomplete: recorded, but its status, start or end is missing or unreadable$/m);
    await prints(/^ *incomplete +8x8_test +- +- +0$/m);
  });

  it('reports why a delivery was rejected, and explains a conflict', async () => {
    await post(summaryBody({ sessionId: 7, subAccountId: null }));
    await prints(/^ {2}rejected: 422 invalid-summary, .+\n {4}payload\.\S+: expected .+$/m);
    await post('{}', 'wrong');
    await prints(/^ {2}rejected: 401 unauthorized, /m);
    await post(summaryBody({ sessionId: 'twice', sessionStatus: 'BUSY' }));
    await post(summaryBody({ sessionId: 'twice', sessionStatus: 'COMPLETED' }));
    await prints(/^ {2}conflict: the session already has a different summary; the record shows the newer/m);
  });
});

describe('the local stack in this process', () => {
  const OPTIONS = {
    once: true,
    json: false,
    examples: true,
    logs: false,
    port: 0,
    events: undefined,
    consumers: undefined,
  };

  /** Runs the assembly that all tests share, and checks that the stack is stopped. */
  async function runOnce(
    options: Partial<typeof OPTIONS>,
    {
      change = () => {},
      interrupted = new AbortController().signal,
    }: { change?: (stack: LocalStack) => void; interrupted?: AbortSignal } = {},
  ) {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    let webhookUrl = '';
    const context = { stdin: new PassThrough(), stdout, stderr, env: process.env, cwd: root, interrupted };
    const ended = runLocalStack({ ...OPTIONS, ...options }, context, async (stackOptions) => {
      const stack = await startStack(stackOptions);
      webhookUrl = stack.webhookUrl;
      change(stack);
      return stack;
    }).finally(() => {
      stdout.end();
      stderr.end();
    });
    const [printed, noted, result] = await Promise.all([
      text(stdout),
      text(stderr),
      ended.catch((error: unknown) => error),
    ]);
    await expect(fetch(webhookUrl)).rejects.toThrow('fetch failed');
    return { printed, noted, result };
  }

  it('prints only the recorded examples with --json, with --logs every log line to standard error, and fails when one is not recorded', async () => {
    const { printed, noted, result } = await runOnce(
      { json: true, logs: true },
      { change: ({ fake8x8 }) => fake8x8.webhooks.set('wavecell_voice', []) },
    );

    const records: { sessionId: string; legs: unknown[] }[] = JSON.parse(printed);
    expect(records).toHaveLength(6);
    expect(
      records.find(({ sessionId }) => sessionId === 'a089b40d-f059-11f0-8937-99c7872ee3c4')?.legs,
    ).toHaveLength(2);
    expect(noted).toContain('"DeliveriesAccepted":1');
    expect(noted).toContain('---   number-masking-error  no webhook is registered for wavecell_voice');
    expect(result).toMatchObject({
      message: '1 of 7 examples were not recorded. Run again with --logs to see why.',
    });
  });

  it('delivers nothing with --no-examples, stops when it is interrupted, and warns that other commands cannot find it when cdk.out is not writable', async () => {
    const port = await freePort();
    const obstacle = join(root, `cdk.out/local-${port}.json`);
    mkdirSync(obstacle, { recursive: true });
    onTestFinished(() => rmSync(obstacle, { recursive: true }));
    const interrupted = AbortSignal.abort();

    const { printed, result } = await runOnce({ once: false, examples: false, port }, { interrupted });

    expect(printed).toMatch(/^Other commands cannot find this stack: .*cdk\.out/m);
    expect(printed).not.toContain('delivers its examples');
    expect(result).toBe(0);
  });

  it('reports in one line that the port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const address = other.address();
    const port = typeof address === 'object' ? address?.port : 0;

    expect(await start('--once', '--port', String(port))).toMatchObject({
      code: 2,
      stderr: `Port ${port} is already in use. Choose another one with --port, or --port 0 for any free port.\n`,
    });
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

describe('the command line of start', () => {
  it('names files relative to the current folder', () => {
    const cwd = mkdtempSync(join(tmpdir(), 'vss-webhook-start-'));
    onTestFinished(() => rmSync(cwd, { recursive: true }));
    writeFileSync(join(cwd, 'consumers.json'), '{"Resources":{}}');
    using _ = eventWriter('events.jsonl', cwd);

    expect(existsSync(join(cwd, 'events.jsonl'))).toBe(true);
    expect(readConsumers('consumers.json', cwd)).toMatchObject({ Resources: {} });
  });

  it.each([
    [['--nonsense'], /^Unknown option '--nonsense'\. See: npx vss-webhook start --help\n$/],
    [['--port', 'http'], /^Invalid --port "http": expected a whole number from 0 to 65535\n$/],
    [['--json'], /^--json needs --once\n$/],
    [['--events', '/nowhere/events.jsonl'], /^Cannot write the file of --events: ENOENT.*\n$/],
    [['--consumers', 'nowhere.json'], /^Cannot read the file of --consumers: ENOENT.*\n$/],
    [
      ['--consumers', 'README.md'],
      /^The file of --consumers is not a CloudFormation template in JSON: .*\n$/,
    ],
    [
      ['--consumers', 'package.json'],
      /^The file of --consumers is not a CloudFormation template in JSON: .*Resources.*\n$/,
    ],
    [
      ['--once', '--no-examples'],
      /^--once cannot be combined with --no-examples: it stops after the examples\n$/,
    ],
  ])('rejects %j with one line', async (options, message) => {
    const { stderr, code } = await start(...options);

    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});
