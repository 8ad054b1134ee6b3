import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { useProxy } from '../../aws/proxy.ts';
import { reasonOf } from '../../terminal/reason-of.ts';
import { interruption } from './interruption.ts';
import { npmCommand, takenByNpm } from './npm-options.ts';

/** The command line, or what it names, is not as expected. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** A command that people run with npm. */
export interface Command<Options extends ParseArgsOptionsConfig> {
  /** The name of its npm script. */
  name: string;
  /** What --help prints; its first line is `Usage: …`. */
  help: string;
  options: Options;
  /** Whether it takes arguments that are not options. Default false. */
  takesArguments?: boolean;
  /**
   * Whether it has something to finish when it is interrupted, or when nothing reads its output any more: then the
   * signal aborts, instead of ending the process. Default false.
   */
  finishes?: boolean;
}

type Parsed<Options extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ options: Options; allowPositionals: true; allowNegative: true }>
>;

/** What a command is given. */
export interface CommandLine<Options extends ParseArgsOptionsConfig> {
  values: Parsed<Options>['values'];
  /** What is not an option. */
  args: string[];
  /** Aborted by Ctrl-C and the like; only of a command that `finishes`. */
  interrupted: AbortSignal;
}

/** `--stage`, of every command about a stage that runs. */
export const STAGE_OPTION = { stage: { type: 'string', default: 'dev' } } as const;

/** What --help says of `--stage`. */
export const STAGE_HELP = `  --stage NAME       A deployed stage, in the account and region that cdk deploy
                     would use, or local while npm start runs (local:4000 if
                     it listens on another port than 3000). Default dev.`;

/**
 * Runs a command. Every one behaves alike: an error is one line on standard error with its cause; the exit code is 1
 * after a failure, 2 for a `UsageError`; requests go through the proxy that the environment names.
 */
export async function runCommand<const Options extends ParseArgsOptionsConfig>(
  command: Command<Options>,
  main: (commandLine: CommandLine<Options>) => Promise<void>,
): Promise<void> {
  const interrupted = command.finishes ? interruption() : new AbortController();
  process.stdout.on('error', (error) => (command.finishes ? interrupted.abort() : endAtOnce(error)));
  try {
    useProxy();
    const { values, positionals } = parse(command);
    if ('help' in values && values.help) process.stdout.write(command.help);
    else await main({ values, args: positionals, interrupted: interrupted.signal });
  } catch (error) {
    const isUsageError = error instanceof UsageError;
    process.stderr.write(`${isUsageError ? error.message : reasonOf(error)}\n`);
    process.exitCode = isUsageError ? 2 : 1;
  }
}

/** @throws UsageError */
function parse<const Options extends ParseArgsOptionsConfig>({
  name,
  options,
  takesArguments = false,
}: Command<Options>) {
  const taken = takenByNpm(name, options, process.argv.slice(2), process.env);
  if (taken !== undefined) throw new UsageError(taken);
  try {
    const parsed = parseArgs({
      options: { ...options, help: { type: 'boolean', short: 'h', default: false } },
      allowPositionals: true,
      allowNegative: true,
    });
    const [unexpected] = takesArguments ? [] : parsed.positionals;
    if (unexpected !== undefined) throw new Error(`Unexpected argument '${unexpected}'`);
    return parsed;
  } catch (error) {
    throw new UsageError(seeHelp(name, reasonOf(error).split(/[.\n]/, 1).join('')), { cause: error });
  }
}

/** What is wrong with a command line, and where the right one is. */
export function seeHelp(name: string, problem: string): string {
  return `${problem}. See: ${npmCommand(name)} -- --help`;
}

function endAtOnce(error: Error): never {
  // Nobody reads any more (`| head`): that is no failure.
  if ('code' in error && error.code === 'EPIPE') process.exit();
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
