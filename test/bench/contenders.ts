import { statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { temporaryFolder } from '../../infra/analytics/duckdb/temporary-folder.ts';
import { bundleOptions } from '../../infra/constructs/node-function.ts';

/** The ways to write a function, in the order of everything that is measured of them. */
export const WAYS = [
  /** The project's own. */
  'ours',
  /** The bare SDK call, with all that the SDK's packages bring along. */
  'bare',
  /** The same without what Lambda never loads, which ours leave out as well. */
  'lean',
  /** As Powertools' documentation shows it, with zod. */
  'usual',
] as const;

/** A function written in one of the ways, bundled with the options of ours. */
export interface Contender {
  bundle: string;
  kilobytes: number;
}

export type FunctionName = 'webhook' | 'recorder';

export function bundleContenders(name: FunctionName): Contender[] {
  const folder = temporaryFolder();
  const options = bundleOptions(`${name}/handler.ts`);
  const other = (way: string) => ({
    entryPoints: [fileURLToPath(new URL(`contenders/${way}-${name}.ts`, import.meta.url))],
  });
  const differences = {
    ours: {},
    bare: { ...other('bare'), external: [] },
    lean: other('bare'),
    usual: { ...other('usual'), external: [] },
  };
  return WAYS.map((way) => {
    const bundle = join(folder, `${name}-${way}.cjs`);
    buildSync({ ...options, ...differences[way], outfile: bundle });
    return { bundle, kilobytes: statSync(bundle).size / 1_000 };
  });
}
