/** Runs a command: what goes wrong is one line on standard error, and exit code 1. */
export async function runCommand(main: () => Promise<void>): Promise<void> {
  // Nobody reads any more (`| head`): that is no failure.
  process.stdout.on('error', () => process.exit());
  try {
    await main();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
