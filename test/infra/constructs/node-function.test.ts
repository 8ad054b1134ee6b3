import { isBuiltin } from 'node:module';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { bundleOptions } from '../../../infra/constructs/node-function.ts';

/** Bundles contain only the code that Lambda runs, because every kilobyte adds to the cold start. */

const FUNCTIONS = ['authorization', 'exports', 'reconciliation', 'recorder', 'registration', 'webhook'];

it.each(FUNCTIONS)(
  'the bundle of %s excludes the modules that are only imported on demand',
  async (folder) => {
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
  },
);
