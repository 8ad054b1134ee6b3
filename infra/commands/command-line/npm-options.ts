import type { ParseArgsOptionsConfig } from 'node:util';

/** The shell command that runs an npm script. */
export function npmCommand(script: string): string {
  return script === 'start' ? 'npm start' : `npm run ${script}`;
}

/** An option that npm consumed; `value` is undefined for a boolean option. */
interface TakenOption {
  option: string;
  value: string | undefined;
}

/**
 * Detects options that npm consumed. npm treats an option that does not follow `--` as its own: it sets an environment
 * variable and runs the script without the option.
 *
 * @param takesArguments Whether the script has arguments. If not, those that it got are values of options.
 * @returns The message for the user, or undefined if npm consumed no option of this script.
 */
export function takenByNpm(
  script: string,
  options: ParseArgsOptionsConfig,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  takesArguments = true,
): string | undefined {
  // A script that another script runs inherits its environment variables.
  if (env['npm_lifecycle_event'] !== script) return undefined;
  const taken = Object.entries(options).flatMap(([name, { type, default: usual = false }]): TakenOption[] => {
    const value = env[`npm_config_${EXPANSIONS[name] ?? name.replaceAll('-', '_')}`];
    // Many CI images set npm's own --yes. Ignoring it is safe: without --yes, a command changes nothing.
    if (name === 'yes') return [];
    const isGiven = args.some((arg) => arg.replace(/^--(no-)?/, '').split('=')[0] === name);
    if (value === undefined || isGiven) return [];
    if (type === 'string') return value === '' ? [] : [{ option: `--${name}`, value }];
    const isOn = value === 'true';
    return isOn === usual ? [] : [{ option: isOn ? `--${name}` : `--no-${name}`, value: undefined }];
  });
  if (taken.length === 0) return undefined;
  const names = taken.map(({ option }) => option).join(' and ');
  return `npm consumed ${names} instead of passing it to the command. Put options after --:

  ${[npmCommand(script), '--', ...repaired(args, taken, takesArguments)].join(' ')}`;
}

/** npm takes the beginning of one of its own options for that option. */
const EXPANSIONS: Readonly<Record<string, string>> = { to: 'token_description' };

/** The arguments, with the options that npm consumed put back. */
function repaired(args: readonly string[], taken: readonly TakenOption[], takesArguments: boolean): string[] {
  // For `--option value`, npm sets the option to `true` and passes `value` to the script as an argument.
  const words = args.filter((arg) => !arg.startsWith('-'));
  const isValue = taken.some(({ value }) => value === 'true') && words.length === 1;
  const value = (option: string) => (isValue ? quoted(words[0] ?? '') : option.slice(2).toUpperCase());
  const options = taken.flatMap(({ option, value: given }) => {
    if (given === undefined) return [option];
    return [option, given === 'true' ? value(option) : quoted(given)];
  });
  return [
    ...(isValue || !takesArguments ? args.filter((arg) => !words.includes(arg)) : args).map(quoted),
    ...options,
  ];
}

function quoted(word: string): string {
  return /^[\w./:@=,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
