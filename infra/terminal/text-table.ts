import { inOneLine } from './printable.ts';

/** Formats rows as aligned lines: each column is as wide as its widest cell. Escapes control characters in cells. */
export function textTable(table: readonly (readonly string[])[]): string {
  const rows = table.map((row) => row.map(inOneLine));
  const widths: number[] = [];
  for (const row of rows)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  return rows
    .map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd())
    .join('\n');
}
