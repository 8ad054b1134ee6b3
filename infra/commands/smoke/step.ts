import type { Status } from '../../terminal/output.ts';
import { reasonOf } from '../../terminal/reason-of.ts';

/** The result of a step. */
export interface Verdict {
  hasPassed: boolean;
  /** Printed as one line. */
  text: string;
}

export const passed = (text: string): Verdict => ({ hasPassed: true, text });
export const failed = (text: string): Verdict => ({ hasPassed: false, text });

/** A step of a smoke test. */
export interface Step {
  name: string;
  /** The names of earlier steps that must have passed. */
  needs: readonly string[];
  /** @param note Reports a warning or progress. */
  run(note: (text: string) => void): Promise<Verdict>;
}

/**
 * Runs the steps in order. Skips a step if one that it needs has not passed, and all remaining steps once the signal
 * has aborted.
 *
 * @returns Whether all steps have passed.
 */
export async function runSteps(
  steps: readonly Step[],
  signal: AbortSignal,
  report: (status: Status, step: string, text: string) => void,
): Promise<boolean> {
  const notPassed = new Set<string>();
  for (const { name, needs, run } of steps) {
    const missing = needs.find((need) => notPassed.has(need));
    if (missing !== undefined || signal.aborted) {
      notPassed.add(name);
      report('skip', name, missing === undefined ? 'interrupted' : `needs ${missing}`);
      continue;
    }
    const { hasPassed, text } = await verdictOf(run((noted) => report('note', name, noted)));
    if (!hasPassed) notPassed.add(name);
    // A step that fails because of the interruption says nothing about the stage.
    if (!hasPassed && signal.aborted) report('skip', name, `interrupted: ${text}`);
    else report(hasPassed ? 'ok' : 'FAIL', name, text);
  }
  return notPassed.size === 0;
}

/** Turns an exception into a failed step, so that the other steps still run. */
async function verdictOf(run: Promise<Verdict>): Promise<Verdict> {
  try {
    return await run;
  } catch (error) {
    return failed(`could not be completed: ${reasonOf(error)}`);
  }
}
