import { checkRegistrations, registrationProblem } from '../stage/check-registrations.ts';
import type { SmokeTest } from './smoke-test.ts';
import { failed, passed, type Step } from './step.ts';

/** Tests that 8x8 delivers to the stage: the other steps deliver themselves, and pass also if 8x8 delivers elsewhere. */
export function registrationStep({ stage, waitOptions }: SmokeTest): Step {
  return {
    name: 'registration',
    needs: [],
    async run() {
      const checked = await checkRegistrations(stage, waitOptions.signal);
      const problems = checked.flatMap((each) => registrationProblem(each) ?? []);
      if (problems.length > 0) return failed(problems.join(' '));
      return passed(`8x8 delivers to ${stage.outputs.WebhookUrl}; sub-accounts: ${checked.length}`);
    },
  };
}
