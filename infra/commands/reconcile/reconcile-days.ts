import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import * as v from 'valibot';
import { DayProgress } from '../../../functions/reconciliation/result.ts';
import type { Window } from '../../../functions/reconciliation/window.ts';
import { print, progress } from '../../terminal/output.ts';
import { type Context, seeHelp, UsageError } from '../command-line/command.ts';
import { type DeployedStage, findStage, printPlace } from '../stage/deployed-stage.ts';
import { endedDays } from './ended-days.ts';
import { dayLines, totalText } from './print-day.ts';

export interface ReconcileOptions {
  stage: string;
  window: Omit<Window, 'subAccountId' | 'skipped'>;
  /** Default: all of the stage. */
  subAccountIds: readonly string[] | undefined;
  json: boolean;
}

/** Reconciles the days of a window, one sub-account after another, and prints each. Returns the exit code. */
export async function reconcileDays(options: ReconcileOptions, context: Context): Promise<number> {
  const { stdout, stderr, interrupted } = context;
  const stage = await findStage(options.stage, context);
  const subAccountIds = subAccountsOf(options.subAccountIds, stage);
  const reconcile = reconciler(stage);
  if (!options.json) printPlace(stage, context);
  const all: DayProgress[] = [];
  progress(stderr, 'Asking 8x8 …');
  // One sub-account at a time, because Lambda limits a response to 6 MB.
  for (const subAccountId of subAccountIds) {
    const invoke = (skipped: string[]) => reconcile({ ...options.window, subAccountId, skipped });
    for await (const day of endedDays(invoke, interrupted, (waiting) =>
      progress(stderr, waitingText(waiting)),
    )) {
      progress(stderr);
      all.push(day);
      print(stdout, options.json ? JSON.stringify(day) : dayLines(day, stage));
    }
  }
  progress(stderr);
  if (!options.json && all.length > 0) print(stdout, `\n${totalText(all)}`);
  if (interrupted.aborted) {
    print(stderr, 'Interrupted. The same command resumes where this one stopped.');
    // The function still runs for a moment. What it reconciles in this time is not lost.
    return 130;
  }
  return all.every(({ state }) => state === 'done') ? 0 : 1;
}

function waitingText(waiting: readonly DayProgress[]): string {
  const [next] = waiting;
  return next ? `${next.subAccountId}: ${waiting.length} days left; ${next.day}: ${next.detail} …` : '';
}

/** @throws UsageError */
function subAccountsOf(chosen: readonly string[] | undefined, { name, outputs }: DeployedStage): string[] {
  const known = outputs.SubAccountIds.split(',');
  const unknown = chosen?.find((id) => !known.includes(id));
  if (unknown !== undefined)
    throw new UsageError(
      seeHelp(
        'reconcile',
        `Invalid --sub-account ${unknown}: the sub-accounts of ${name} are ${known.join(', ')}`,
      ),
    );
  return [...new Set(chosen ?? known)];
}

/** Returns a function that invokes the reconciliation function once. @throws UsageError */
function reconciler({ name, outputs, settings }: DeployedStage): (window: Window) => Promise<DayProgress[]> {
  const { ReconciliationFunctionName: FunctionName } = outputs;
  if (FunctionName === undefined)
    throw new UsageError(
      `The stage ${name} has the setting reconciliation "off". Set it to "report" or "record", and deploy.`,
    );
  const lambda = new LambdaClient(settings('lambda'));
  return async (window) => {
    const command = new InvokeCommand({ FunctionName, Payload: JSON.stringify({ window }) });
    const { Payload, FunctionError } = await lambda.send(command);
    const answer: unknown = JSON.parse(Payload?.transformToString() ?? '');
    if (FunctionError) throw new Error(`The reconciliation function failed: ${Object(answer).errorMessage}`);
    return v.parse(v.array(DayProgress), answer);
  };
}
