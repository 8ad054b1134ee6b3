import { PassThrough } from 'node:stream';
import { findCommand } from '../../../infra/commands/vss-webhook.ts';
import { root } from '../run.ts';

export interface VssWebhookOptions {
  /** Default: the folder of the project. */
  cwd?: string | undefined;
  /** Default: the environment of this process. */
  env?: NodeJS.ProcessEnv | undefined;
  /** What Ctrl-C aborts. */
  interrupted?: AbortSignal | undefined;
  /** Called with each chunk of standard output. */
  onOutput?: (text: string) => void;
}

/** Runs a command of `npx vss-webhook` in this process. Returns its output and its exit code. */
export async function vssWebhook(
  [name, ...args]: readonly string[],
  { cwd = root, env = process.env, interrupted, onOutput }: VssWebhookOptions = {},
) {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const output = { stdout: '', stderr: '' };
  stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
    onOutput?.(text);
  });
  stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  const signal = interrupted ?? new AbortController().signal;
  const command = await findCommand(name);
  const code = await command.run(args, { stdin, stdout, stderr, env, cwd, interrupted: signal });
  return { ...output, code };
}
