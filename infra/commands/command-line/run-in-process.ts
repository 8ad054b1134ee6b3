import { constants } from 'node:os';
import { type Command, type Context, explain } from './command.ts';

/**
 * The terminal sends Ctrl-C to the command, and npm forwards it once more. A second signal within this time counts as
 * the same Ctrl-C.
 */
const SAME_SIGNAL_MS = 1_000;

/**
 * Runs a command as this process. Everything that belongs to the process is done here: its streams, proxy, signals,
 * closed pipes and exit code.
 */
export async function runInProcess(
  command: Pick<Command, 'cleansUp' | 'run'>,
  args: readonly string[],
): Promise<void> {
  const interruption = new AbortController();
  const context: Context = {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    interrupted: interruption.signal,
  };
  onInterruption(command, interruption);
  const code = await useProxy().then(
    () => command.run(args, context),
    (error) => explain(error, context),
  );
  // After an interruption, requests that nobody waits for must not delay the end.
  if (interruption.signal.aborted) process.exit(code);
  process.exitCode = code;
}

function onInterruption({ cleansUp }: Pick<Command, 'cleansUp'>, interruption: AbortController): void {
  let firstAt: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      firstAt ??= performance.now();
      const isSecond = performance.now() - firstAt > SAME_SIGNAL_MS;
      if (isSecond || !cleansUp) process.exit(128 + constants.signals[signal]);
      interruption.abort();
    });
  }
  process.stdout.on('error', (error) => {
    // A reader that closes the pipe early, such as `head`, is not a failure.
    const isClosed = 'code' in error && error.code === 'EPIPE';
    if (isClosed && cleansUp) return interruption.abort();
    if (!isClosed) process.stderr.write(`${error.message}\n`);
    process.exit(isClosed ? 0 : 1);
  });
}

/** Loads the proxy support, which costs as much as the rest of --help, only if the environment configures it. */
async function useProxy(): Promise<void> {
  const isConfigured = Object.keys(process.env).some((variable) =>
    /^(https?_proxy|aws_ca_bundle)$/i.test(variable),
  );
  if (isConfigured) (await import('../../aws/proxy.ts')).useProxy(process.env);
}
