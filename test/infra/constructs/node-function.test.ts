import { isBuiltin } from 'node:module';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { bundleOptions } from '../../../infra/constructs/bundle-options.ts';

/** Bundles contain only the code that Lambda runs, because every kilobyte adds to the cold start. */

const FUNCTIONS = ['authorization', 'exports', 'reconciliation', 'recorder', 'registration', 'webhook'];

/** The imports of all modules in the bundle of a function, apart from those of Node. */
async function importsOf(folder: string) {
  const { metafile } = await build({
    ...bundleOptions(`${folder}/handler.ts`),
    metafile: true,
    write: false,
    outdir: 'none',
  });
  const inBundle = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs));
  return inBundle
    .flatMap((path) => metafile.inputs[path]?.imports ?? [])
    .filter(({ path }) => !isBuiltin(path));
}

it.each(FUNCTIONS)(
  'the bundle of %s excludes the modules that are only imported on demand',
  async (folder) => {
    const imports = await importsOf(folder);
    const always = new Set(imports.filter(({ kind }) => kind !== 'dynamic-import').map(({ path }) => path));
    const onDemand = imports.filter(({ kind, path }) => kind === 'dynamic-import' && !always.has(path));

    expect(onDemand).not.toEqual([]);
    expect(onDemand.filter(({ external }) => !external)).toEqual([]);
  },
);

it.each(FUNCTIONS)('the bundle of %s contains the modules that it loads', async (folder) => {
  const imports = await importsOf(folder);

  expect(imports.filter(({ kind, external }) => external && kind !== 'dynamic-import')).toEqual([]);
});
