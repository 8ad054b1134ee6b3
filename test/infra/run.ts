import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The folder of the project. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs one of the project's commands to its end: what it printed where, and its exit code. */
export async function run(args: string[], cwd: string = root, env: NodeJS.ProcessEnv = process.env) {
  try {
    return { ...(await promisify(execFile)(process.execPath, args, { cwd, env })), code: 0 };
  } catch (error) {
    if (!(error instanceof Error && 'stdout' in error && 'stderr' in error && 'code' in error)) throw error;
    return { stdout: String(error.stdout), stderr: String(error.stderr), code: error.code };
  }
}
