/** npm passes Ctrl-C on to a command which has had it from the terminal already: what comes so soon is the same. */
const SAME_MS = 1_000;

/**
 * Is aborted by Ctrl-C, and by the end of the terminal; so that a command can still clean up. A second Ctrl-C ends the
 * command at once.
 */
export function interruption(): AbortController {
  const interrupted = new AbortController();
  let first: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      first ??= performance.now();
      if (performance.now() - first > SAME_MS) process.exit(130);
      interrupted.abort();
    });
  }
  return interrupted;
}
