import type { ParseArgsOptionsConfig } from 'node:util';

/** How a command is started. */
export function npmCommand(script: string): string {
  return script === 'start' ? 'npm start' : `npm run ${script}`;
}

/** An option with its value, if it takes one. */
interface TakenOption {
  option: string;
  value: string | undefined;
}

/**
 * npm takes an option that does not come after `--` for its own, passes it to the script only as an environment
 * variable, and runs the script without it.
 *
 * @returns What to tell the user, if npm took options of this script.
 */
export function takenByNpm(
  script: string,
  options: ParseArgsOptionsConfig,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): string | undefined {
  // A script that another script runs inherits the variables of that one.
  if (env['npm_lifecycle_event'] !== script) return undefined;
  const taken = Object.entries(options).flatMap(([name, { type, default: usual = false }]): TakenOption[] => {
    const value = env[`npm_config_${name.replaceAll('-', '_')}`];
    // Where it is npm's own setting, as in many CI images, nothing is changed without it.
    if (name === 'yes') return [];
    const isGiven = args.some((arg) => arg.replace(/^--(no-)?/, '').split('=')[0] === name);
    if (value === undefined || isGiven) return [];
    if (type === 'string') return value === '' ? [] : [{ option: `--${name}`, value }];
    const isOn = value === 'true';
    return isOn === usual ? [] : [{ option: isOn ? `--${name}` : `--no-${name}`, value: undefined }];
  });
  if (taken.length === 0) return undefined;
  const names = taken.map(({ option }) => option).join(' and ');
  return `npm took ${names}, and the command did not get it. Options come after --, like this:

  ${[npmCommand(script), '--', ...repaired(args, taken)].join(' ')}`;
}

/** The arguments with the options that npm took. */
function repaired(args: readonly string[], taken: readonly TakenOption[]): string[] {
  // npm makes `true` of an option whose value came as the next word, and passes that word on among the others.
  const words = args.filter((arg) => !arg.startsWith('-'));
  const isLeftOver = taken.some(({ value }) => value === 'true') && words.length === 1;
  const value = (option: string) => (isLeftOver ? quoted(words[0] ?? '') : option.slice(2).toUpperCase());
  const options = taken.flatMap(({ option, value: given }) => {
    if (given === undefined) return [option];
    return [option, given === 'true' ? value(option) : quoted(given)];
  });
  return [...(isLeftOver ? args.filter((arg) => !words.includes(arg)) : args).map(quoted), ...options];
}

function quoted(word: string): string {
  return /^[\w./:@=,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
