import { statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { temporaryFolder } from '../../infra/analytics/duckdb/temporary-folder.ts';
import { bundleOptions } from '../../infra/constructs/bundle-options.ts';
import type { FunctionName } from './events.ts';

/** The compared implementations of a function, in the order of all measurements. */
export const WAYS = [
  /** The function of this project. */
  'ours',
  /** Only the SDK call, bundled with all dependencies of the SDK. */
  'bare',
  /** Only the SDK call, without the modules that Lambda never loads. Ours excludes them too. */
  'lean',
] as const;

/** An implementation, bundled with the same options as ours. */
export interface Contender {
  bundle: string;
  kilobytes: number;
}

export function bundleContenders(name: FunctionName): Contender[] {
  const folder = temporaryFolder();
  const options = bundleOptions(`${name}/handler.ts`);
  const bare = { entryPoints: [fileURLToPath(new URL(`contenders/bare-${name}.ts`, import.meta.url))] };
  const differences = { ours: {}, bare: { ...bare, external: [] }, lean: bare };
  return WAYS.map((way) => {
    const bundle = join(folder, `${name}-${way}.cjs`);
    buildSync({ ...options, ...differences[way], outfile: bundle });
    return { bundle, kilobytes: statSync(bundle).size / 1_000 };
  });
}
