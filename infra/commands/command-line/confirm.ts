import { createInterface } from 'node:readline/promises';
import { UsageError } from './command.ts';

/** Where a question is asked. */
interface Terminal {
  input: NodeJS.ReadableStream & { isTTY?: boolean };
  output: NodeJS.WritableStream & { isTTY?: boolean };
}

/**
 * Asks before something is changed. Only `y` or `yes` confirms; an interruption and the end of input do not.
 *
 * @throws UsageError where there is no terminal to ask on.
 */
export async function confirm(
  question: string,
  signal: AbortSignal,
  { input, output }: Terminal = { input: process.stdin, output: process.stdout },
): Promise<boolean> {
  if (!input.isTTY || !output.isTTY) {
    throw new UsageError(
      'Nothing was changed: there is no terminal to confirm in. Add --yes to do it without a question.',
    );
  }
  const terminal = createInterface({ input, output });
  // readline takes Ctrl-C for itself.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  const ended = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
  const asked = terminal.question(`${question} [y/N] `, { signal }).catch(() => '');
  const answer = await Promise.race([asked, ended]);
  terminal.close();
  return !signal.aborted && /^y(es)?$/i.test(answer.trim());
}
