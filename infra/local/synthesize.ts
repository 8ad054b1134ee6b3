import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as v from 'valibot';

const CdkJson = v.object({ context: v.record(v.string(), v.unknown()) });

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Runs the CDK app for a stage, as the CDK CLI does, and returns the folder of the cloud assembly.
 *
 * @throws Error with what the app said, when it fails.
 */
export async function synthesize(stage: string): Promise<string> {
  const { context } = v.parse(CdkJson, JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8')));
  const assembly = mkdtempSync(join(tmpdir(), 'vss-webhook-assembly-'));
  const env = {
    ...process.env,
    CDK_OUTDIR: assembly,
    CDK_CONTEXT_JSON: JSON.stringify({ ...context, stage }),
  };
  try {
    await promisify(execFile)(process.execPath, ['infra/app.ts'], { cwd: root, env });
  } catch (error) {
    rmSync(assembly, { recursive: true, force: true });
    throw new Error(`The stack cannot be synthesized. ${inOneLine(error)}`, { cause: error });
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
