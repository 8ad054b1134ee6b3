import { type Command, type Context, explain, UsageError } from './command-line/command.ts';
import { COMMANDS } from './commands.ts';

/** The command that this first argument names or, without one, a command that prints help or says what is wrong. */
export async function findCommand(name: string | undefined): Promise<Pick<Command, 'cleansUp' | 'run'>> {
  const load = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (load) return load();
  const isHelp = name === '--help' || name === '-h';
  return {
    cleansUp: false,
    run: async (_, context) => (isHelp ? printOverview(context) : explain(await unknown(name), context)),
  };
}

async function unknown(name: string | undefined): Promise<UsageError> {
  const seeHelp = 'See: npx vss-webhook --help';
  if (name === undefined) return new UsageError(`Missing COMMAND. ${seeHelp}`);
  const { didYouMean } = await import('./command-line/nearest.ts');
  return new UsageError(`Unknown command "${name}".${didYouMean(name, Object.keys(COMMANDS))} ${seeHelp}`);
}

async function printOverview({ stdout }: Context): Promise<number> {
  const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()));
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(9)}  ${summary}\n`);
  stdout.write(`Usage: npx vss-webhook COMMAND [options]

Commands:
${lines.join('')}
npx vss-webhook COMMAND --help describes a command and its options. Relative paths
start from the current folder.
`);
  return 0;
}
