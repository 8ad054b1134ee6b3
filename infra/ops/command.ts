/** Runs a command: what goes wrong is one line on standard error, and exit code 1. */
export async function runCommand(main: () => Promise<void>): Promise<void> {
  process.stdout.on('error', (error) => {
    // Nobody reads any more (`| head`): that is no failure.
    if ('code' in error && error.code === 'EPIPE') process.exit();
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  });
  try {
    await main();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
