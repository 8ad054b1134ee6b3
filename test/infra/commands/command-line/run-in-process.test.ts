import { EventEmitter, once } from 'node:events';
import { PassThrough } from 'node:stream';
import { afterEach, expect, it, vi } from 'vitest';
import type { Context } from '../../../../infra/commands/command-line/command.ts';
import { runInProcess } from '../../../../infra/commands/command-line/run-in-process.ts';

afterEach(() => vi.useRealTimers());

/** A process that only notes how it would exit. */
class FakeProcess extends EventEmitter {
  stdin = new PassThrough();
  stdout = new PassThrough();
  stderr = new PassThrough({ encoding: 'utf8' });
  env: NodeJS.ProcessEnv = {};
  exitCode: number | undefined;
  exits: number[] = [];
  cwd = () => '/folder';
  exit = (code: number) => void this.exits.push(code);
}

/** Starts a command that runs until it is interrupted, and then for as long as its clean-up takes. */
async function started({ cleansUp }: { cleansUp: boolean }) {
  const host = new FakeProcess();
  const cleanUp = Promise.withResolvers<number>();
  const running = Promise.withResolvers<Context>();
  const run = async (_: readonly string[], context: Context) => {
    running.resolve(context);
    await once(context.interrupted, 'abort');
    return cleanUp.promise;
  };
  const ended = runInProcess({ cleansUp, run }, [], host);
  const { interrupted } = await running.promise;
  return { host, interrupted, cleanUp, ended };
}

it('passes the arguments and the current folder, and sets the exit code without ending the process', async () => {
  const host = new FakeProcess();
  const run = async (args: readonly string[], { cwd, stdout }: Context) => {
    stdout.write(`${args} in ${cwd}`);
    return 2;
  };
  await runInProcess({ cleansUp: false, run }, ['a', 'b'], host);

  expect(String(host.stdout.read())).toBe('a,b in /folder');
  expect([host.exitCode, host.exits]).toEqual([2, []]);
});

it.each(['SIGINT', 'SIGTERM', 'SIGHUP'])(
  'waits after %s for the clean-up, and then exits',
  async (signal) => {
    const { host, interrupted, cleanUp, ended } = await started({ cleansUp: true });
    host.emit(signal);

    expect([interrupted.aborted, host.exits]).toEqual([true, []]);
    cleanUp.resolve(130);
    await ended;
    expect(host.exits).toEqual([130]);
  },
);

it.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
])('ends a command without clean-up after %s with exit code %i', async (signal, code) => {
  const { host, interrupted } = await started({ cleansUp: false });
  host.emit(signal);

  expect([interrupted.aborted, host.exits]).toEqual([false, [code]]);
});

it('gives up the clean-up at a second Ctrl-C, but not at the same one that npm forwards', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const { host } = await started({ cleansUp: true });
  host.emit('SIGINT');
  vi.advanceTimersByTime(900);
  host.emit('SIGINT');
  expect(host.exits).toEqual([]);

  vi.advanceTimersByTime(200);
  host.emit('SIGINT');
  expect(host.exits).toEqual([130]);
});

it.each([
  ['EPIPE', null, 0],
  ['ENOSPC', 'no space left\n', 1],
])('after the output error %s, prints %j, and cleans up or exits with %i', async (code, message, exit) => {
  const error = Object.assign(new Error('no space left'), { code });
  const [careful, other] = [await started({ cleansUp: true }), await started({ cleansUp: false })];
  for (const { host } of [careful, other]) host.stdout.emit('error', error);
  // Every further write fails too.
  careful.host.stdout.emit('error', error);

  expect([careful, other].map(({ host }) => host.stderr.read())).toEqual([message, message]);
  expect([careful.interrupted.aborted, careful.host.exits]).toEqual([true, []]);
  expect(other.host.exits).toEqual([exit]);
});

it.each([
  [{ AWS_CA_BUNDLE: '/nowhere.pem' }, /^Cannot read the file that AWS_CA_BUNDLE names: ENOENT/],
  [{ https_proxy: 'proxy.example' }, /^https_proxy: expected a URL such as http:/],
])('does not run the command if %j is invalid', async (env, message) => {
  const host = Object.assign(new FakeProcess(), { env });
  const run = vi.fn<(args: readonly string[], context: Context) => Promise<number>>();
  await runInProcess({ cleansUp: false, run }, [], host);

  expect(String(host.stderr.read())).toMatch(message);
  expect([host.exitCode, run.mock.calls]).toEqual([1, []]);
});
