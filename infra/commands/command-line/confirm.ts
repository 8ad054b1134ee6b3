import { createInterface } from 'node:readline/promises';
import { UsageError } from './command.ts';

/** The streams that the question is printed to and the answer is read from. */
interface Terminal {
  input: NodeJS.ReadableStream & { isTTY?: boolean };
  output: NodeJS.WritableStream & { isTTY?: boolean };
}

/**
 * Asks for confirmation of a change. Only `y` and `yes` confirm; an interruption or the end of input declines.
 *
 * @throws UsageError if input or output is not a terminal.
 */
export async function confirm(
  question: string,
  signal: AbortSignal,
  { input, output }: Terminal = { input: process.stdin, output: process.stdout },
): Promise<boolean> {
  if (!input.isTTY || !output.isTTY) {
    throw new UsageError(
      'Nothing was changed: confirmation needs a terminal. Add --yes to skip the confirmation.',
    );
  }
  const terminal = createInterface({ input, output });
  // readline intercepts Ctrl-C, so the signal has to be sent again.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  const ended = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
  const typed = terminal.question(`${question} [y/N] `, { signal }).catch(() => '');
  const answer = await Promise.race([typed, ended]);
  terminal.close();
  return !signal.aborted && /^y(es)?$/i.test(answer.trim());
}
