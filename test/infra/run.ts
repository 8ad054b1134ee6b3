import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { TestRunner } from 'vitest';

/** The folder of the project. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

export interface RunOptions {
  /** Default: the folder of the project. */
  cwd?: string | undefined;
  /** Default: the environment of this process. */
  env?: NodeJS.ProcessEnv;
  /** Kills the command. Default: the signal of the current test, so that no command outlives a test that times out. */
  signal?: AbortSignal | undefined;
}

/** Runs one of the project's commands. Returns its output and its exit code. */
export async function run(
  args: readonly string[],
  { cwd = root, env = process.env, signal = TestRunner.getCurrentTest()?.context.signal }: RunOptions = {},
) {
  try {
    const options = { cwd, env, killSignal: 'SIGKILL', ...(signal && { signal }) } as const;
    return { ...(await promisify(execFile)(process.execPath, args, options)), code: 0 };
  } catch (error) {
    if (!(error instanceof Error && 'stdout' in error && 'stderr' in error && 'code' in error)) throw error;
    return { stdout: String(error.stdout), stderr: String(error.stderr), code: error.code };
  }
}
