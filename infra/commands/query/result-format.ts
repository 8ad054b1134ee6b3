import { extname } from 'node:path';
import { UsageError } from '../command-line/command.ts';

const FORMATS = ['table', 'vertical', 'csv', 'json', 'parquet'] as const;

/** How a result is written. */
export interface ResultFormat {
  name: (typeof FORMATS)[number];
  isCompressed: boolean;
}

/**
 * Determines the format from the options `--format` and `--out`.
 *
 * @throws UsageError if they do not determine one, or contradict each other.
 */
export function resultFormat(chosen: string | undefined, out: string | undefined): ResultFormat {
  const isCompressed = out?.endsWith('.gz') ?? false;
  const extension = extname(out?.replace(/\.gz$/, '') ?? '').slice(1);
  const name = chosen ?? (out === undefined ? 'table' : extension || 'csv');
  const format = FORMATS.find((known) => known === name);
  if (format === undefined) {
    throw new UsageError(
      chosen === undefined
        ? `The extension of ${out} is not a known format: add --format csv, json or parquet.`
        : `--format must be one of ${FORMATS.join(', ')}, not "${name}".`,
    );
  }
  const isForTerminal = format === 'table' || format === 'vertical';
  if (isForTerminal && out !== undefined)
    throw new UsageError(`--format ${format} cannot be combined with --out: choose csv, json or parquet.`);
  if (format === 'parquet' && out === undefined)
    throw new UsageError('Parquet cannot be written to standard output: name a file with --out.');
  if (format === 'parquet' && isCompressed)
    throw new UsageError('Parquet is compressed already: name a file without .gz.');
  return { name: format, isCompressed };
}
