import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { useProxy } from '../../aws/proxy.ts';
import { reasonOf } from '../../terminal/reason-of.ts';
import { interruption } from './interruption.ts';
import { npmCommand, takenByNpm } from './npm-options.ts';

/** The command line is invalid, or names something that does not exist. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** A command that people run with npm. */
export interface Command<Options extends ParseArgsOptionsConfig> {
  /** The name of its npm script. */
  name: string;
  /** The text of --help; the first line is `Usage: …`. */
  help: string;
  options: Options;
  /** Whether it accepts positional arguments. Default false. */
  takesArguments?: boolean;
  /**
   * Whether it cleans up after an interruption. If so, Ctrl-C or a closed output pipe aborts `interrupted` instead of
   * ending the process. Default false.
   */
  cleansUp?: boolean;
}

type Parsed<Options extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ options: Options; allowPositionals: true; allowNegative: true }>
>;

/** The parsed command line. */
export interface CommandLine<Options extends ParseArgsOptionsConfig> {
  values: Parsed<Options>['values'];
  /** The positional arguments. */
  args: string[];
  /** Aborted by Ctrl-C, SIGTERM and SIGHUP. Never aborted unless the command `cleansUp`. */
  interrupted: AbortSignal;
}

/** The option `--stage` of the commands that work on a running stage. */
export const STAGE_OPTION = { stage: { type: 'string', default: 'dev' } } as const;

/** The description of `--stage` in the output of --help. */
export const STAGE_HELP = `  --stage NAME       A deployed stage, in the account and region that cdk deploy
                     would use; or local for the stack that npm start runs
                     (local:4000 if it listens on port 4000). Default dev.`;

/**
 * Runs a command. All commands behave alike: an error is printed to standard error as one line with its cause; the exit
 * code is 1 after a failure and 2 after a `UsageError`; requests use the proxy that the environment sets.
 */
export async function runCommand<const Options extends ParseArgsOptionsConfig>(
  command: Command<Options>,
  main: (commandLine: CommandLine<Options>) => Promise<void>,
): Promise<void> {
  const interrupted = command.cleansUp ? interruption() : new AbortController();
  process.stdout.on('error', (error) => (command.cleansUp ? interrupted.abort() : exitOnOutputError(error)));
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
  const taken = takenByNpm(name, options, process.argv.slice(2), process.env, takesArguments);
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
    throw new UsageError(seeHelp(name, problemOf(error)), { cause: error });
  }
}

/** The problem in one clause. Node's messages for an option without its value need their later lines to be understood. */
function problemOf(error: unknown): string {
  const [problem = ''] = reasonOf(error).split(/[.\n]/, 1);
  return problem
    .replace(/^Option (\S+) <value>' argument missing$/, "Option $1' needs a value")
    .replace(
      /^Option '(\S+)' argument is ambiguous$/,
      "Option '$1' needs a value; write one that starts with a hyphen as $1=VALUE",
    );
}

/** Appends to a usage problem a pointer to --help. */
export function seeHelp(name: string, problem: string): string {
  return `${problem}. See: ${npmCommand(name)} -- --help`;
}

function exitOnOutputError(error: Error): never {
  // A reader that closes the pipe early, such as `head`, is not a failure.
  if ('code' in error && error.code === 'EPIPE') process.exit();
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
