import type { ParseArgsOptionsConfig } from 'node:util';
import { type CommandLine, defineCommand } from '../infra/commands/command-line/command.ts';
import { runInProcess } from '../infra/commands/command-line/run-in-process.ts';

interface Measurement<Options extends ParseArgsOptionsConfig> {
  /** The name of its npm script. */
  name: string;
  /** The text of --help. */
  help: string;
  options: Options;
}

/** Runs a measurement as this process. `measure` prints the result, and throws if it is not as expected. */
export function runMeasurement<const Options extends ParseArgsOptionsConfig>(
  measurement: Measurement<Options>,
  measure: (commandLine: CommandLine<Options>) => Promise<void>,
): Promise<void> {
  const command = defineCommand({
    ...measurement,
    summary: '',
    invocation: `npm run ${measurement.name} --`,
    async run(commandLine) {
      await measure(commandLine);
      return 0;
    },
  });
  return runInProcess(command, process.argv.slice(2));
}
