import { createInterface } from 'node:readline/promises';
import { type Context, UsageError } from './command.ts';

/**
 * Asks for confirmation of a change. Only `y` and `yes` confirm; an interruption or the end of input declines.
 *
 * @throws UsageError if input or output is not a terminal.
 */
export async function confirm(
  question: string,
  { stdin, stdout, interrupted }: Pick<Context, 'stdin' | 'stdout' | 'interrupted'>,
): Promise<boolean> {
  if (!stdin.isTTY || !stdout.isTTY) {
    throw new UsageError(
      'Nothing was changed: confirmation needs a terminal. Add --yes to skip the confirmation.',
    );
  }
  const terminal = createInterface({ input: stdin, output: stdout });
  // readline intercepts Ctrl-C, so the signal has to be sent again.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  const ended = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
  const typed = terminal.question(`${question} [y/N] `, { signal: interrupted }).catch(() => '');
  const answer = await Promise.race([typed, ended]);
  terminal.close();
  return !interrupted.aborted && /^y(es)?$/i.test(answer.trim());
}
