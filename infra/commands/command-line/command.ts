import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import type { Output } from '../../terminal/output.ts';
import { reasonOf } from '../../terminal/reason-of.ts';

/** The command line is invalid, or names something that does not exist. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** What a command may use of the process that runs it. */
export interface Context {
  stdin: NodeJS.ReadableStream & { isTTY?: boolean };
  /** For results. */
  stdout: Output;
  /** For errors, notes and progress. */
  stderr: Output;
  env: NodeJS.ProcessEnv;
  /** The absolute path of the folder that relative paths start from. */
  cwd: string;
  /**
   * Aborted by Ctrl-C, SIGTERM, SIGHUP or a closed output pipe, for a command that `cleansUp`. It then ends as soon as it
   * has cleaned up.
   */
  interrupted: AbortSignal;
}

type Parsed<Options extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ options: Options; allowPositionals: true; allowNegative: true }>
>;

/** The parsed command line. */
export interface CommandLine<Options extends ParseArgsOptionsConfig> {
  values: Parsed<Options>['values'];
  /** The positional arguments. */
  args: string[];
}

interface Definition<Options extends ParseArgsOptionsConfig> {
  name: string;
  /** What people type to run it. Default `npx vss-webhook NAME`. */
  invocation?: string;
  /** What it does, in one line for the list of commands. */
  summary: string;
  /** The text of --help; the first line is `Usage: …`. */
  help: string;
  options: Options;
  /** Whether it accepts positional arguments. Default false. */
  takesArguments?: boolean;
  /** Whether it cleans up after an interruption. If not, an interruption ends the process. Default false. */
  cleansUp?: boolean;
  /**
   * Imports what it needs when it runs, so that --help and usage errors load nothing else.
   *
   * @returns The exit code.
   * @throws UsageError for exit code 2, any other error for exit code 1.
   */
  run(commandLine: CommandLine<Options>, context: Context): Promise<number>;
}

/** A command of `npx vss-webhook`. */
export interface Command {
  name: string;
  summary: string;
  help: string;
  options: ParseArgsOptionsConfig;
  cleansUp: boolean;
  /**
   * Parses the command line and runs the command. Prints an error with its causes to standard error, as one line.
   *
   * @returns The exit code: 1 after a failure, 2 after a `UsageError`.
   */
  run(args: readonly string[], context: Context): Promise<number>;
}

/** Defines a command. */
export function defineCommand<const Options extends ParseArgsOptionsConfig>(
  definition: Definition<Options>,
): Command {
  const { name, summary, help, options, cleansUp = false } = definition;
  return {
    name,
    summary,
    help,
    options,
    cleansUp,
    async run(args, context) {
      try {
        const { values, positionals } = parse(definition, args);
        if (!('help' in values && values.help))
          return await definition.run({ values, args: positionals }, context);
        context.stdout.write(help);
        return 0;
      } catch (error) {
        return explain(error, context);
      }
    },
  };
}

/** Prints an error as one line. Returns the exit code. */
export function explain(error: unknown, { stderr }: Context): number {
  const isUsageError = error instanceof UsageError;
  stderr.write(`${isUsageError ? error.message : reasonOf(error)}\n`);
  return isUsageError ? 2 : 1;
}

/** @throws UsageError */
function parse<const Options extends ParseArgsOptionsConfig>(
  { name, invocation, options, takesArguments = false }: Definition<Options>,
  args: readonly string[],
) {
  try {
    const parsed = parseArgs({
      args: [...args],
      options: { ...options, help: { type: 'boolean', short: 'h', default: false } },
      allowPositionals: true,
      allowNegative: true,
    });
    const [unexpected] = takesArguments ? [] : parsed.positionals;
    if (unexpected !== undefined) throw new Error(`Unexpected argument '${unexpected}'`);
    return parsed;
  } catch (error) {
    throw new UsageError(seeHelp(name, problemOf(error), invocation), { cause: error });
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
export function seeHelp(name: string, problem: string, invocation = `npx vss-webhook ${name}`): string {
  return `${problem}. See: ${invocation} --help`;
}
