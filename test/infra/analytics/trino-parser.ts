import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';

const TRINO = 'dt-sql-parser/dist/parser/trino/index.js';

// The package imports files without their extensions, so it is bundled.
const outfile = join(mkdtempSync(join(tmpdir(), 'vss-webhook-trino-')), 'trino.mjs');
const entry = fileURLToPath(import.meta.resolve(TRINO));
buildSync({ entryPoints: [entry], bundle: true, platform: 'node', format: 'esm', outfile });
const { TrinoSQL }: typeof import('dt-sql-parser/dist/parser/trino/index.js') = await import(
  pathToFileURL(outfile).href
);

/** A parser of Trino SQL. All tests share it: it learns the grammar, which takes most of the time. */
export const parser = new TrinoSQL();
