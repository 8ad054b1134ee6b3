import { inOneLine } from './printable.ts';

/** A stream of text for a person or another program. */
export type Output = NodeJS.WritableStream & { isTTY?: boolean };

/** Writes a line. */
export function print(output: Output, text: string): void {
  output.write(`${text}\n`);
}

export type Status = 'ok' | 'FAIL' | 'skip' | 'note';

/** The result of a check, or a note about it, as one line. */
export function statusLine(status: Status, check: string, text: string): string {
  return `${status.padEnd(5)}  ${check.padEnd(12)}  ${inOneLine(text)}`;
}

/** Prints the result of a check, or a note about it. */
export function printStatus(output: Output, status: Status, check: string, text: string): void {
  print(output, statusLine(status, check, text));
}

/**
 * Shows progress in one line. The next call replaces the line; a call without text clears it. Prints nothing if the
 * output is not a terminal.
 */
export function progress(output: Output, text = ''): void {
  if (output.isTTY) output.write(`\r\u001b[K${text}`);
}
