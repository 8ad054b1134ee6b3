/** The command line, or what it names, is not as expected. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/**
 * Runs a command: what goes wrong is one line on standard error, and exit code 1; 2 for a `UsageError`.
 *
 * @param outputFails Is called when standard output takes nothing any more. Default: the command ends at once.
 */
export async function runCommand(
  main: () => Promise<void>,
  outputFails: (error: Error) => void = endAtOnce,
): Promise<void> {
  process.stdout.on('error', outputFails);
  try {
    await main();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

function endAtOnce(error: Error): never {
  // Nobody reads any more (`| head`): that is no failure.
  if ('code' in error && error.code === 'EPIPE') process.exit();
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
