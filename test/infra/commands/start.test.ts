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

/** `npm start`, as its user sees it: what is printed where, and the exit code. */

const start = (folder: string, ...options: string[]) =>
  run(['infra/commands/start.ts', ...options], { cwd: folder });

/** A local stack that runs until it is interrupted, without examples. */
async function started() {
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
  it('--once --json prints the records of the published examples, and nothing else', async () => {
    const { stdout, code } = await start(root, '--once', '--json', '--port', '0');

    expect(code).toBe(0);
    const records: { sessionId: string; legs: unknown[] }[] = JSON.parse(stdout);
    expect(records).toHaveLength(7);
    expect(
      records.find(({ sessionId }) => sessionId === 'a089b40d-f059-11f0-8937-99c7872ee3c4')?.legs,
    ).toHaveLength(2);
  });

  it('stays until Ctrl-C, with a curl line that works when pasted', async ({ signal }) => {
    const child = spawn(process.execPath, ['infra/commands/start.ts', '--port', '0'], { cwd: root, signal });
    let curl = '';
    for await (const line of createInterface(child.stdout)) {
      if (line.trim().startsWith('curl ')) curl = line.trim();
      if (line.startsWith('Ctrl-C')) break;
    }

    // Read as a shell reads it, and sent without curl, which not every machine has.
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

  it('says that a summary is incomplete, and shows its record with - for what is absent', async () => {
    const { child, prints, post } = await started();

    const response = await post(
      summaryBody({ sessionId: 'incomplete', sessionStatus: null, startTime: null, endTime: null }),
    );
    await prints(
      /^ {2}incomplete: it is recorded, but its status, start or end is missing or cannot be read$/m,
    );
    await prints(/^ *incomplete +8x8_test +- +- +0$/m);
    child.kill('SIGINT');
    const [code] = await once(child, 'exit');

    expect(response.status).toBe(200);
    expect(code).toBe(0);
  });

  it('says in words why a delivery was refused, with its issues, and what a conflict is', async () => {
    const { child, prints, post } = await started();

    await post(summaryBody({ sessionId: 7, subAccountId: null }));
    await prints(/^ {2}refused: 422 invalid-summary, .+\n {4}payload\.\S+: expected .+$/m);
    await post('{}', { Authorization: 'wrong' });
    await prints(/^ {2}refused: 401 unauthorized, /m);
    await post(summaryBody({ sessionId: 'twice', sessionStatus: 'BUSY' }));
    await post(summaryBody({ sessionId: 'twice', sessionStatus: 'COMPLETED' }));
    await prints(
      /^ {2}a conflict: another summary of a session that is recorded; the record shows the newer/m,
    );
    child.kill('SIGINT');
    await once(child, 'exit');
  });

  it('says in one line that a port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = String(typeof address === 'object' ? address?.port : 0);

    const { stderr, code } = await start(root, '--once', '--port', port);
    other.close();

    expect(code).toBe(2);
    expect(stderr).toBe(`Port ${port} is taken. Choose another with --port, or 0 for any that is free.\n`);
  });

  describe('where cdk.json is another', () => {
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

    it('fails when an example was not delivered, because nobody registered a webhook for it, and says so', async () => {
      const { stdout, stderr, code } = await startWith((local) => {
        local['subAccountIds'] = ['8x8_test'];
      });

      expect(code).toBe(1);
      expect(stdout).toContain('---  number-masking-error  no webhook is registered for wavecell_voice');
      expect(stderr).toBe('1 of 7 examples were not recorded; --logs shows more.\n');
    });

    it('runs where the checkout cannot be written, and says what does not work there', async () => {
      rmSync(join(copy, 'cdk.out'), { recursive: true, force: true });
      writeFileSync(join(copy, 'cdk.out'), 'in the way of the folder');

      const { stdout, code } = await startWith(() => {});

      expect(code).toBe(0);
      expect(stdout).toMatch(/^Other commands will not find this stack: .*cdk\.out/m);
    });

    it('says in one line why the stack cannot be synthesized', async () => {
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
    [['--port', 'http'], /^--port takes a whole number from 0 to 65535, not "http"\n$/],
    [['--json'], /^--json goes with --once\n$/],
    [['--once', '--no-examples'], /^--once stops after the examples; it does not go with --no-examples\n$/],
  ])('%j is refused with one line', async (options, message) => {
    const { stderr, code } = await start(root, ...options);

    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('--help explains every option', async () => {
    const { stdout, code } = await start(root, '--help');

    expect(code).toBe(0);
    for (const option of ['--once', '--json', '--no-examples', '--logs', '--port', '--help']) {
      expect(stdout).toContain(option);
    }
  });
});
