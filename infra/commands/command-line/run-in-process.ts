import { constants } from 'node:os';
import { type Command, type Context, explain } from './command.ts';

/**
 * The terminal sends Ctrl-C to the command, and npm forwards it once more. A second signal within this time counts as
 * the same Ctrl-C.
 */
const SAME_SIGNAL_MS = 1_000;

/** What the launcher uses of the process. */
export interface Host extends Pick<Context, 'stdin' | 'stdout' | 'stderr' | 'env'> {
  cwd(): string;
  on(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', listener: () => void): unknown;
  exitCode?: number | string | null | undefined;
  exit(code: number): void;
}

/**
 * Runs a command as this process. Everything that belongs to the process is done here: its streams, proxy, signals,
 * closed pipes and exit code.
 */
export async function runInProcess(
  command: Pick<Command, 'cleansUp' | 'run'>,
  args: readonly string[],
  host: Host = process,
): Promise<void> {
  const { stdin, stdout, stderr, env } = host;
  const interruption = new AbortController();
  const context: Context = { stdin, stdout, stderr, env, cwd: host.cwd(), interrupted: interruption.signal };
  exitOnSignal(command.cleansUp, interruption, host);
  exitOnOutputError(command.cleansUp, interruption, host);
  const code = await useProxy(env).then(
    () => command.run(args, context),
    (error) => explain(error, context),
  );
  // After an interruption, requests that nobody waits for must not delay the end.
  if (interruption.signal.aborted) host.exit(code);
  else host.exitCode = code;
}

/** Ends the process after a signal. A command that cleans up does that first, unless a second signal stops it. */
function exitOnSignal(cleansUp: boolean, interruption: AbortController, host: Host): void {
  let firstAt: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    host.on(signal, () => {
      firstAt ??= performance.now();
      const isSecond = performance.now() - firstAt > SAME_SIGNAL_MS;
      if (isSecond || !cleansUp) host.exit(128 + constants.signals[signal]);
      else interruption.abort();
    });
  }
}

/** Ends the process when its output cannot be written. A command that cleans up does that first. */
function exitOnOutputError(cleansUp: boolean, interruption: AbortController, host: Host): void {
  host.stdout.on('error', (error) => {
    // A reader that closes the pipe early, such as `head`, is not a failure.
    const isClosed = 'code' in error && error.code === 'EPIPE';
    if (!isClosed && !interruption.signal.aborted) host.stderr.write(`${error.message}\n`);
    if (cleansUp) interruption.abort();
    else host.exit(isClosed ? 0 : 1);
  });
}

/** Loads the proxy support, which costs as much as the rest of --help, only if the environment configures it. */
async function useProxy(env: NodeJS.ProcessEnv): Promise<void> {
  const isConfigured = Object.keys(env).some((variable) => /^(https?_proxy|aws_ca_bundle)$/i.test(variable));
  if (isConfigured) (await import('../../aws/proxy.ts')).useProxy(env);
}
