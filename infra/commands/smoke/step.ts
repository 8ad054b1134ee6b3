import { inOneLine } from '../../terminal/printable.ts';
import { reasonOf } from '../../terminal/reason-of.ts';

/** What a step says once it has ended. */
export interface Verdict {
  isProved: boolean;
  /** One line. */
  text: string;
}

export const proved = (text: string): Verdict => ({ isProved: true, text });
export const wrong = (text: string): Verdict => ({ isProved: false, text });

/** One thing that a smoke test proves. */
export interface Step {
  name: string;
  /** The names of earlier steps without which this one can prove nothing. */
  needs: readonly string[];
  /** @param note Takes a line that is no verdict: a warning, or how far it is. */
  run(note: (text: string) => void): Promise<Verdict>;
}

/** What a line begins with. */
export type Mark = 'ok' | 'WRONG' | 'skip' | 'note';

/** Takes a line of output. */
export type Report = (mark: Mark, of: string, text: string) => void;

/** Writes such lines to standard output, as `npm run doctor` does. */
export const report: Report = (mark, of, text) => {
  process.stdout.write(`${mark.padEnd(5)}  ${of.padEnd(12)}  ${inOneLine(text)}\n`);
};

/**
 * Runs steps in their order; skips those that need one that has proved nothing, and all that are left once the signal
 * has come.
 *
 * @returns Whether every step has proved what it is for.
 */
export async function runSteps(
  steps: readonly Step[],
  signal: AbortSignal,
  report: Report,
): Promise<boolean> {
  const unproved = new Set<string>();
  for (const { name, needs, run } of steps) {
    const missing = needs.find((need) => unproved.has(need));
    if (missing !== undefined || signal.aborted) {
      unproved.add(name);
      report('skip', name, missing === undefined ? 'interrupted' : `needs ${missing}`);
      continue;
    }
    const { isProved, text } = await verdictOf(run((noted) => report('note', name, noted)));
    if (!isProved) unproved.add(name);
    // What is missing when the waiting was cut short says nothing about the stage.
    if (!isProved && signal.aborted) report('skip', name, `interrupted: ${text}`);
    else report(isProved ? 'ok' : 'WRONG', name, text);
  }
  return unproved.size === 0;
}

/** A step that cannot be carried out has proved nothing, and must not keep the others from running. */
export async function verdictOf(run: Promise<Verdict>): Promise<Verdict> {
  try {
    return await run;
  } catch (error) {
    return wrong(`could not be carried out: ${reasonOf(error)}`);
  }
}
