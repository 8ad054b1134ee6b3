import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as v from 'valibot';
import type { Settings } from '../settings.ts';
import { readStage } from '../stages.ts';

const CdkJson = v.object({
  context: v.looseObject({ stages: v.record(v.string(), v.looseObject({})) }),
});

const root = fileURLToPath(new URL('../..', import.meta.url));

const readContext = () => v.parse(CdkJson, JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8'))).context;

/** The settings of a stage in cdk.json. @throws ConfigurationError */
export function readSettings(stage: string): Settings {
  return readStage(readContext().stages, stage).settings;
}

/**
 * Runs the CDK app for a stage, as the CDK CLI does, and returns the folder of the cloud assembly.
 *
 * @param settings Settings of the stage that are others than in cdk.json.
 * @throws Error with what the app said, when it fails.
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
    // CloudFormation's rules are checked by `cdk synth`, and so by the tests; here they would take a third of the time.
    CDK_VALIDATION: 'false',
  };
  try {
    await promisify(execFile)(process.execPath, ['infra/app.ts'], { cwd: root, env });
  } catch (error) {
    rmSync(assembly, { recursive: true, force: true });
    throw new Error(`The stack cannot be synthesized. ${inOneLine(error)}`);
  }
  return assembly;
}

/** What the app said: of a stack trace the line that names the error, else all of it. */
function inOneLine(error: unknown): string {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
  const lines = said.split('\n').filter((line) => line.trim() !== '');
  const named = lines.find((line) => /^\w*Error: /.test(line));
  return named ?? (lines.map((line) => line.trim()).join(' ') || String(error));
}
