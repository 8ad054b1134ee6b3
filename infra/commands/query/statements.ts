import { existsSync, readFileSync } from 'node:fs';
import type { DuckDBConnection } from '@duckdb/node-api';
import { CHARGE_QUERIES } from '../../analytics/charges/charge-queries.ts';
import { DUCKDB } from '../../analytics/dialect.ts';
import { SAVED_QUERIES } from '../../analytics/saved-queries.ts';
import { UsageError } from '../command-line/command.ts';
import { didYouMean } from '../command-line/nearest.ts';
import { EXPORT_VIEWS, VIEWS_OF_CHARGES } from './documented-views.ts';

const QUERIES = [...SAVED_QUERIES, ...CHARGE_QUERIES];
const NAMES = [...EXPORT_VIEWS, ...VIEWS_OF_CHARGES].map(({ name }) => name);

/**
 * The SQL of a saved query or a view, or the given SQL.
 *
 * @throws UsageError if a name is unknown, or there is no SQL.
 */
export function sqlOf(query: string): string {
  const saved = QUERIES.find(({ name }) => name === query);
  if (saved) return saved.sql(DUCKDB);
  if (NAMES.includes(query)) return `FROM ${query}`;
  if (/^[\w-]+$/.test(query)) {
    const names = [...QUERIES.map(({ name }) => name), ...NAMES];
    throw new UsageError(
      `Unknown saved query or view "${query}".${didYouMean(query, names)} Available: ${names.join(', ')}.`,
    );
  }
  return withoutEnd(query, 'The query');
}

/** The SQL in a file. @throws UsageError if there is none. */
export function sqlIn(file: string): string {
  if (!existsSync(file)) throw new UsageError(`${file} does not exist: name a file with SQL.`);
  return withoutEnd(readFileSync(file, 'utf8'), file);
}

function withoutEnd(sql: string, source: string): string {
  const statements = sql.replace(/[;\s]+$/, '');
  if (statements === '') throw new UsageError(`${source} is empty: expected SQL, a saved query or a view.`);
  return statements;
}

/** Runs all statements but the last one, and returns that. */
export async function runAllButLast(connection: DuckDBConnection, sql: string): Promise<string> {
  const statements = splitStatements(sql);
  const last = statements.pop() ?? sql;
  for (const statement of statements) await connection.run(statement);
  return last;
}

/** Divides SQL at its semicolons, except for those in strings, identifiers and comments. */
function splitStatements(sql: string): string[] {
  const statements: string[] = [];
  let statement = '';
  for (const [token] of sql.matchAll(
    /'(?:[^']|'')*'?|"(?:[^"]|"")*"?|--[^\n]*|\/\*.*?(?:\*\/|$)|\$(\w*)\$.*?(?:\$\1\$|$)|;|[^'"\-/$;]+|./gs,
  )) {
    if (token === ';') {
      statements.push(statement);
      statement = '';
    } else statement += token;
  }
  return [...statements, statement].filter(
    (each) => each.replace(/--[^\n]*|\/\*.*?\*\//gs, '').trim() !== '',
  );
}
