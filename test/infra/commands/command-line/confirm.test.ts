import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { UsageError } from '../../../../infra/commands/command-line/command.ts';
import { confirm } from '../../../../infra/commands/command-line/confirm.ts';

function terminal(isTTY = true, interrupted = new AbortController().signal) {
  return {
    interrupted,
    stdin: Object.assign(new PassThrough(), { isTTY }),
    stdout: Object.assign(new PassThrough(), { isTTY }),
  };
}

it.each([
  ['y', true],
  ['YES', true],
  ['', false],
  ['n', false],
  ['yesterday', false],
])('returns for the answer "%s": %s', async (answer, expected) => {
  const answered = terminal();
  const confirmed = confirm('Delete?', answered);
  answered.stdin.write(`${answer}\n`);

  expect(await confirmed).toBe(expected);
  expect(String(answered.stdout.read())).toContain('Delete? [y/N]');
});

it('declines at the end of input, and when interrupted', async () => {
  const ended = terminal();
  ended.stdin.end();
  const interrupted = new AbortController();
  const waiting = confirm('Delete?', terminal(true, interrupted.signal));
  interrupted.abort();

  expect(await confirm('Delete?', ended)).toBe(false);
  expect(await waiting).toBe(false);
});

it('throws a UsageError if there is no terminal', async () => {
  await expect(confirm('Delete?', terminal(false))).rejects.toThrow(UsageError);
});
