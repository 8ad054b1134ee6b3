import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { vi } from 'vitest';
import { root, run } from './infra/run.ts';

const CDK = join(root, 'node_modules/aws-cdk/bin/cdk');
const APP = 'node test/infra/every-stage.ts';

const Result = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({ folder: v.string(), stdout: v.string(), stderr: v.string(), code: v.unknown() }),
);

/**
 * The cloud assembly of every stage, and what `cdk synth` printed. The first test of a run that needs it runs `cdk synth`;
 * those in other workers wait. All stages are in one app, because loading the rules takes most of the time.
 */
export async function localAssembly(): Promise<v.InferOutput<typeof Result>> {
  // surroundings.ts gives each run a temporary folder.
  const folder = join(tmpdir(), 'local-assembly');
  const result = `${folder}.json`;
  if (isFirst(folder)) {
    const synthesized = await run([CDK, 'synth', '--quiet', '--app', APP, '--output', folder]);
    writeFileSync(`${result}.part`, JSON.stringify({ folder, ...synthesized }));
    renameSync(`${result}.part`, result);
  }
  return vi.waitFor(() => v.parse(Result, readFileSync(result, 'utf8')), { timeout: 600_000, interval: 100 });
}

function isFirst(folder: string): boolean {
  try {
    mkdirSync(folder);
    return true;
  } catch {
    return false;
  }
}
