import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as v from 'valibot';
import { readCdkJson } from '../cdk-json.ts';
import type { Settings } from '../settings.ts';
import { readStage } from '../stages.ts';

const CdkJson = v.object({
  context: v.looseObject({ stages: v.record(v.string(), v.looseObject({})) }),
});

const root = fileURLToPath(new URL('../..', import.meta.url));

const readContext = () => v.parse(CdkJson, readCdkJson(join(root, 'cdk.json'))).context;

/** Reads the settings of a stage from cdk.json. @throws ConfigurationError */
export function readSettings(stage: string): Settings {
  return readStage(readContext().stages, stage).settings;
}

/**
 * Runs the CDK app for a stage, like the CDK CLI, and returns the folder of the cloud assembly.
 *
 * @param settings Settings that override those of the stage in cdk.json.
 * @throws Error with the error output of the app if it fails.
 */
export async function synthesize(stage: string, settings: object = {}): Promise<string> {
  const context = readContext();
  const known = context.stages[stage];
  const stages = known ? { ...context.stages, [stage]: { ...known, ...settings } } : context.stages;
  const assembly = mkdtempSync(join(tmpdir(), 'vss-webhook-assembly-'));
  const env = {
    ...process.env,
    CDK_OUTDIR: assembly,
    CDK_CONTEXT_JSON: JSON.stringify({ ...context, stages, stage }),
    // `cdk synth`, and so the tests, validate the template. Here, validation would take a third of the time.
    CDK_VALIDATION: 'false',
  };
  try {
    await promisify(execFile)(process.execPath, ['infra/app.ts'], { cwd: root, env });
  } catch (error) {
    rmSync(assembly, { recursive: true, force: true });
    throw new Error(`The stack cannot be synthesized. ${errorOutputOf(error)}`);
  }
  return assembly;
}

/** The error output of the app as one line: the line with the error message if it is a stack trace, else all of it. */
function errorOutputOf(error: unknown): string {
  const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const message = lines.find((line) => /^\w*Error: /.test(line));
  return message ?? (lines.map((line) => line.trim()).join(' ') || String(error));
}
