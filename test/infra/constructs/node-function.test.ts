import { isBuiltin } from 'node:module';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { bundleOptions } from '../../../infra/constructs/node-function.ts';

/** Bundles hold what Lambda runs, and no more: each kilobyte that is read at a cold start is waited for. */

const FUNCTIONS = ['authorization', 'recorder', 'registration', 'webhook'];

it.each(FUNCTIONS)('%s has nothing that is imported on demand only', async (folder) => {
  const { metafile } = await build({
    ...bundleOptions(`${folder}/handler.ts`),
    metafile: true,
    write: false,
    outdir: 'none',
  });

  const inBundle = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs));
  const onDemand = inBundle
    .flatMap((path) => metafile.inputs[path]?.imports ?? [])
    .filter(({ kind, path }) => kind === 'dynamic-import' && !isBuiltin(path));
  expect(onDemand).not.toEqual([]);
  expect(onDemand.filter(({ external }) => !external)).toEqual([]);
});
