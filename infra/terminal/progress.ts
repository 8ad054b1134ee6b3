/**
 * Shows how far long work is, in one line on standard error that the next call replaces; without a text the line
 * disappears. Shows nothing where there is no terminal.
 */
export function progress(text = ''): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}
