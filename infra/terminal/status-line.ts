import { inOneLine } from './printable.ts';

export type Status = 'ok' | 'FAIL' | 'skip' | 'note';

/** Prints the result of a check, or a note about it, as one line. */
export function printStatus(status: Status, check: string, text: string): void {
  process.stdout.write(`${status.padEnd(5)}  ${check.padEnd(12)}  ${inOneLine(text)}\n`);
}
