import * as v from 'valibot';
import { DayProgress } from '../../../functions/reconciliation/result.ts';
import type { Window } from '../../../functions/reconciliation/window.ts';
import type { Example } from '../../local/examples.ts';
import { functionArn } from '../../local/lambda.ts';
import type { LocalStack } from '../../local/local-stack.ts';

/** The example whose delivery the fake 8x8 loses, to show that reconciliation finds it. */
export const LOST_EXAMPLE = 'ivr-busy';

const Progress = v.tuple([DayProgress]);

/**
 * Reconciles the day of an example, and returns what was found, in words.
 *
 * @throws Error if the day cannot be reconciled.
 */
export async function reconcileExample(
  { functions, outputs }: LocalStack,
  { startTime, subAccountId }: Example,
): Promise<string> {
  const target = functions.get(functionArn(outputs.ReconciliationFunctionName ?? ''));
  if (!target) throw new Error('The local stack has no reconciliation function.');
  const day = startTime.slice(0, 10);
  const window: Window = {
    subAccountId,
    from: day,
    to: day,
    skipped: [],
    mode: 'record',
    beyondLimit: false,
    again: true,
  };
  for (;;) {
    const [{ state, detail, result }] = v.parse(Progress, await target.invoke({ window }));
    if (state === 'failed') throw new Error(`${day} could not be reconciled: ${detail}`);
    if (state === 'waiting' || !result) continue;
    const { sessions, matched, missing, recorded } = result;
    return `${day}, ${subAccountId}: ${sessions} sessions exported, ${matched} recorded already, ${missing} missing, ${recorded} recorded now`;
  }
}
