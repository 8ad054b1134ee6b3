import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { summaryBody } from '../../functions/summaries.ts';
import { root, run } from '../run.ts';

/** Tests what `npm start` prints, to which stream, and its exit code. */

const start = (folder: string, ...options: string[]) =>
  run(['infra/commands/start.ts', ...options], { cwd: folder });

/** Starts a local stack without examples, which runs until it is interrupted. */
async function startWithoutExamples() {
  const options = ['infra/commands/start.ts', '--no-examples', '--port', '0'];
  const child = spawn(process.execPath, options, { cwd: root });
  onTestFinished(() => void child.kill());
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  const prints = (expected: RegExp) => expect.poll(() => printed, { interval: 50 }).toMatch(expected);
  await prints(/Ctrl-C/);
  const [, url = '', authorization = ''] = /curl -i (\S+) -H 'Authorization: (\S+)'/.exec(printed) ?? [];
  const post = (body: string, headers = { Authorization: authorization }) =>
    fetch(url, { method: 'POST', headers, body });
  return { child, prints, post };
}

describe('npm start', () => {
  it('prints only the records of the published examples with --once --json', async () => {
    const { stdout, code } = await start(root, '--once', '--json', '--port', '0');

    expect(code).toBe(0);
    const records: { sessionId: string; legs: unknown[] }[] = JSON.parse(stdout);
    expect(records).toHaveLength(7);
    expect(
      records.find(({ sessionId }) => sessionId === 'a089b40d-f059-11f0-8937-99c7872ee3c4')?.legs,
    ).toHaveLength(2);
  });

  it('loses a delivery, which reconciliation finds and records', async () => {
    const { stdout, code } = await start(root, '--once', '--port', '0');

    expect(stdout).toMatch(/^ {2}lost {2}ivr-busy\n {2}200 {3}ivr-hangup$/m);
    expect(stdout).toContain(
      '2026-01-13, 8x8_test: 3 sessions exported, 2 recorded already, 1 missing, 1 recorded now\n',
    );
    expect(stdout).toMatch(/^ {2}ece96728-f059-11f0-baa6-c147150ab00e +8x8_test +BUSY .+ log-export$/m);
    expect(stdout.match(/ log-export$/gm)).toHaveLength(1);
    expect(code).toBe(0);
  });

  it('prints the events of the examples, and writes them to the file of --events', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'vss-webhook-events-')), 'events.jsonl');
    onTestFinished(() => rmSync(file));

    const { stdout, code } = await start(root, '--once', '--port', '0', '--events', file);

    const events = readFileSync(file, 'utf8').trim().split('\n');
    expect(events).toHaveLength(7);
    for (const event of events) {
      const { source, detail } = JSON.parse(event);
      expect(source).toBe('vss-webhook-local');
      expect(stdout).toContain(`  event: Session Recorded, ${detail.sessionId} ${detail.sessionStatus}`);
    }
    expect(stdout.match(/^ {2}event: .* BUSY, a retry can help$/gm)).toHaveLength(1);
    expect(code).toBe(0);
  });

  it('provisions the template of --consumers, and prints its outputs', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'vss-webhook-consumers-')), 'consumers.json');
    onTestFinished(() => rmSync(file));
    writeFileSync(
      file,
      JSON.stringify({
        Resources: { Retries: { Type: 'AWS::SQS::Queue' } },
        Outputs: { RetriesUrl: { Value: { Ref: 'Retries' } } },
      }),
    );

    const { stdout, code } = await start(root, '--once', '--port', '0', '--consumers', file);

    expect(stdout).toMatch(/^ {2}RetriesUrl {5}http:\S+-Retries$/m);
    expect(code).toBe(0);
  });

  it('runs until Ctrl-C, and prints a working curl command', async ({ signal }) => {
    const child = spawn(process.execPath, ['infra/commands/start.ts', '--port', '0'], { cwd: root, signal });
    let curl = '';
    for await (const line of createInterface(child.stdout)) {
      if (line.trim().startsWith('curl ')) curl = line.trim();
      if (line.startsWith('Press Ctrl-C')) break;
    }

    // Parses the command instead of running it, because not every machine has curl.
    const [, url = '', name = '', value = '', file = ''] =
      /^curl -i (\S+) -H '([\w-]+): (\S+)' --data-binary @(\S+)$/.exec(curl) ?? [];
    const body = await readFile(`${root}${file}`);
    const response = await fetch(url, { method: 'POST', headers: { [name]: value }, body });
    const answer = await response.json();
    child.kill('SIGINT');
    const [code] = await once(child, 'exit');

    expect(response.status).toBe(200);
    expect(answer).toEqual({ status: 'accepted', sessionId: 'a-session-of-my-own' });
    expect(code).toBe(0);
  });

  it('reports an incomplete summary, and shows its record with - for absent attributes', async () => {
    const { child, prints, post } = await startWithoutExamples();

    const response = await post(
      summaryBody({ sessionId: 'incomplete', sessionStatus: null, startTime: null, endTime: null }),
    );
    await prints(/^ {2}incomplete: recorded, but its status, start or end is missing or unreadable$/m);
    await prints(/^ *incomplete +8x8_test +- +- +0$/m);
    child.kill('SIGINT');
    const [code] = await once(child, 'exit');

    expect(response.status).toBe(200);
    expect(code).toBe(0);
  });

  it('reports why a delivery was rejected, and explains a conflict', async () => {
    const { child, prints, post } = await startWithoutExamples();

    await post(summaryBody({ sessionId: 7, subAccountId: null }));
    await prints(/^ {2}rejected: 422 invalid-summary, .+\n {4}payload\.\S+: expected .+$/m);
    await post('{}', { Authorization: 'wrong' });
    await prints(/^ {2}rejected: 401 unauthorized, /m);
    await post(summaryBody({ sessionId: 'twice', sessionStatus: 'BUSY' }));
    await post(summaryBody({ sessionId: 'twice', sessionStatus: 'COMPLETED' }));
    await prints(/^ {2}conflict: the session already has a different summary; the record shows the newer/m);
    child.kill('SIGINT');
    await once(child, 'exit');
  });

  it('reports in one line that the port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = String(typeof address === 'object' ? address?.port : 0);

    const { stderr, code } = await start(root, '--once', '--port', port);
    other.close();

    expect(code).toBe(2);
    expect(stderr).toBe(
      `Port ${port} is already in use. Choose another one with --port, or --port 0 for any free port.\n`,
    );
  });

  describe('in a copy of the repository', () => {
    const copy = mkdtempSync(join(tmpdir(), 'vss-webhook-test-'));
    afterAll(() => rmSync(copy, { recursive: true }));

    function startWith(change: (local: Record<string, unknown>) => void) {
      for (const name of ['infra', 'functions', 'package.json', 'package-lock.json']) {
        cpSync(join(root, name), join(copy, name), { recursive: true });
      }
      if (!existsSync(join(copy, 'node_modules')))
        symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
      const cdkJson = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8'));
      change(cdkJson.context.stages.local);
      writeFileSync(join(copy, 'cdk.json'), JSON.stringify(cdkJson));
      return start(copy, '--once', '--port', '0');
    }

    it('fails when an example has no registered webhook, and names it', async () => {
      const { stdout, stderr, code } = await startWith((local) => {
        local['subAccountIds'] = ['8x8_test'];
      });

      expect(code).toBe(1);
      expect(stdout).toContain('---   number-masking-error  no webhook is registered for wavecell_voice');
      expect(stderr).toBe('1 of 7 examples were not recorded. Run again with --logs to see why.\n');
    });

    it('warns that other commands cannot find the stack when cdk.out is not writable', async () => {
      rmSync(join(copy, 'cdk.out'), { recursive: true, force: true });
      writeFileSync(join(copy, 'cdk.out'), 'a file instead of the folder');

      const { stdout, code } = await startWith(() => {});

      expect(code).toBe(0);
      expect(stdout).toMatch(/^Other commands cannot find this stack: .*cdk\.out/m);
    });

    it('reports in one line why the stack cannot be synthesized', async () => {
      const { stderr, code } = await startWith((local) => {
        local['subaccounts'] = [];
      });

      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^The stack cannot be synthesized\. Invalid settings in cdk\.json: context\.stages\.local\.subaccounts: unknown setting\..*\n$/,
      );
    });
  });

  it.each([
    [['--nonsense'], /^Unknown option '--nonsense'\. See: npm start -- --help\n$/],
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
    const { stderr, code } = await start(root, ...options);

    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('describes every option with --help', async () => {
    const { stdout, code } = await start(root, '--help');

    expect(code).toBe(0);
    for (const option of ['--once', '--json', '--no-examples', '--logs', '--port', '--help']) {
      expect(stdout).toContain(option);
    }
  });
});
