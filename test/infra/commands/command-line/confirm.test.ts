import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { UsageError } from '../../../../infra/commands/command-line/command.ts';
import { confirm } from '../../../../infra/commands/command-line/confirm.ts';

function terminal(isTTY = true) {
  return {
    input: Object.assign(new PassThrough(), { isTTY }),
    output: Object.assign(new PassThrough(), { isTTY }),
  };
}

it.each([
  ['y', true],
  ['YES', true],
  ['', false],
  ['n', false],
  ['yesterday', false],
])('returns for the answer "%s": %s', async (answer, expected) => {
  const { input, output } = terminal();
  const confirmed = confirm('Delete?', new AbortController().signal, { input, output });
  input.write(`${answer}\n`);

  expect(await confirmed).toBe(expected);
  expect(String(output.read())).toContain('Delete? [y/N]');
});

it('declines at the end of input, and when interrupted', async () => {
  const ended = terminal();
  ended.input.end();
  const interrupted = new AbortController();
  const waiting = confirm('Delete?', interrupted.signal, terminal());
  interrupted.abort();

  expect(await confirm('Delete?', new AbortController().signal, ended)).toBe(false);
  expect(await waiting).toBe(false);
});

it('throws a UsageError if there is no terminal', async () => {
  await expect(confirm('Delete?', new AbortController().signal, terminal(false))).rejects.toThrow(UsageError);
});
