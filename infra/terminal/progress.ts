/**
 * Shows progress in one line on standard error. The next call replaces the line; a call without text clears it. Prints
 * nothing if standard error is not a terminal.
 */
export function progress(text = ''): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}
