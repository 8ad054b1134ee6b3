/**
 * The terminal sends Ctrl-C to the command, and npm forwards it once more. A second signal within this time counts as
 * the same Ctrl-C.
 */
const SAME_SIGNAL_MS = 1_000;

/**
 * Returns a controller that Ctrl-C, SIGTERM and SIGHUP abort, so that the command can clean up. A second Ctrl-C exits
 * immediately.
 */
export function interruption(): AbortController {
  const interrupted = new AbortController();
  let first: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      first ??= performance.now();
      if (performance.now() - first > SAME_SIGNAL_MS) process.exit(130);
      interrupted.abort();
    });
  }
  return interrupted;
}
