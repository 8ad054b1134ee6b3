import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import * as v from 'valibot';
import { addDays, dayOf } from '../../functions/reconciliation/day.ts';
import { DayProgress } from '../../functions/reconciliation/progress.ts';
import { LIMIT } from '../../functions/reconciliation/reconcile-day.ts';
import { MAX_WINDOW_DAYS, Window } from '../../functions/reconciliation/window.ts';
import { progress } from '../terminal/progress.ts';
import {
  type CommandLine,
  runCommand,
  STAGE_HELP,
  STAGE_OPTION,
  seeHelp,
  UsageError,
} from './command-line/command.ts';
import { printDay, totalText } from './reconcile/print-day.ts';
import { type DeployedStage, findStage, printPlace } from './stage/deployed-stage.ts';

const DEFAULT_DAYS = 7;
/** Days that were reconciled within so many hours are not reconciled again. */
const FRESH_HOURS = 12;

const HELP = `Usage: npm run reconcile -- [options]

Asks 8x8's log export for the sessions of past days, compares them with the table,
and records those that are missing, because no delivery brought them. The schedule
does this every day for the last week; use this command for older days (the first
time, to backfill), after an outage, or to see what a day's comparison found.

For each day and sub-account it prints how many sessions the export has, how many
of them match a record, are missing, were recorded, or have another status in the
table, and how many rows of the export could not be read.

Recording is idempotent. After Ctrl-C, the same command goes on where it stopped:
days that were reconciled in the last ${FRESH_HOURS} hours are not reconciled again. An export
that 8x8 takes long to make is waited for.

Options:
${STAGE_HELP}
  --from DAY         First day, in UTC, such as 2026-11-24. Default: ${DEFAULT_DAYS - 1} days
                     before --to.
  --to DAY           Last day. Default: yesterday. At most ${MAX_WINDOW_DAYS} days.
  --sub-account ID   Only this sub-account. May be repeated. Default: all.
  --report           Only report. Record nothing.
  --beyond-limit     Also record days of which more than ${LIMIT} sessions are
                     missing. Without it, such a day is only reported.
  --again            Also reconcile days that were reconciled a short time ago.
  --json             Print the results as JSON, one line per day.
  -h, --help         Show this help.

Exit code 0 if every day was reconciled, 1 if one failed or has too many missing
sessions to record them, 2 if the command line is invalid or the stage does not
exist, 130 after Ctrl-C.
`;

const COMMAND = {
  name: 'reconcile',
  help: HELP,
  cleansUp: true,
  options: {
    ...STAGE_OPTION,
    from: { type: 'string' },
    to: { type: 'string' },
    'sub-account': { type: 'string', multiple: true },
    report: { type: 'boolean', default: false },
    'beyond-limit': { type: 'boolean', default: false },
    again: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
} as const;
type Values = CommandLine<typeof COMMAND.options>['values'];

async function main({ values, interrupted }: CommandLine<typeof COMMAND.options>): Promise<void> {
  const window = windowOf(values);
  const stage = await findStage(values.stage);
  const subAccountIds = values['sub-account'] ?? stage.outputs.SubAccountIds.split(',');
  const reconcile = reconciler(stage);
  if (!values.json) printPlace(stage);
  const all: DayProgress[] = [];
  // One sub-account at a time, because Lambda limits a response to 6 MB.
  for (const subAccountId of subAccountIds) {
    for await (const day of endedDays(
      () => reconcile({ ...window, subAccountIds: [subAccountId] }),
      interrupted,
    )) {
      all.push(day);
      if (values.json) process.stdout.write(`${JSON.stringify(day)}\n`);
      else printDay(day, stage);
    }
  }
  if (!values.json) process.stdout.write(`\n${totalText(all)}\n`);
  if (all.some(({ state }) => state !== 'done')) process.exitCode = 1;
  if (!interrupted.aborted) return;
  process.stderr.write('Interrupted: the same command goes on where this one stopped.\n');
  // The function still runs for a moment. What it reconciles in this time is not lost.
  process.exit(130);
}

/** Reads the window. @throws UsageError */
function windowOf(values: Values): Omit<Window, 'subAccountIds'> {
  const today = dayOf(Date.now());
  const to = values.to ?? addDays(today, -1);
  const from = values.from ?? addDays(to, 1 - DEFAULT_DAYS);
  const parsed = v.safeParse(Window, {
    from,
    to,
    ...(values.report && { mode: 'report' }),
    beyondLimit: values['beyond-limit'],
    notBefore: new Date(Date.now() - (values.again ? 0 : FRESH_HOURS * 3_600_000)).toISOString(),
  });
  if (!parsed.success)
    throw new UsageError(
      seeHelp('reconcile', `Invalid --from ${from} --to ${to}: ${parsed.issues[0].message}`),
    );
  if (to > today)
    throw new UsageError(seeHelp('reconcile', `Invalid --to ${to}: expected today or a day before`));
  if (values.report && values['beyond-limit'])
    throw new UsageError(
      seeHelp('reconcile', '--report records nothing, so it cannot be combined with --beyond-limit'),
    );
  return parsed.output;
}

/** Returns a function that invokes the reconciliation function once. */
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

/** The pause before the function is invoked again. It waits for 8x8 itself, for up to 45 seconds. */
const PAUSE_MS = 2_000;

/** Invokes the function until no day is waiting, or the signal aborts. Yields each day once, when it has ended. */
async function* endedDays(
  reconcile: () => Promise<DayProgress[]>,
  interrupted: AbortSignal,
): AsyncGenerator<DayProgress> {
  const ended = new Set<string>();
  const aborted = once(interrupted, 'abort').then(() => []);
  while (!interrupted.aborted) {
    const days = await Promise.race([reconcile(), aborted]);
    progress();
    const waiting = days.filter(({ state }) => state === 'waiting');
    for (const each of days) {
      if (each.state === 'waiting' || ended.has(each.day)) continue;
      ended.add(each.day);
      yield each;
    }
    const [next] = waiting;
    if (!next) return;
    progress(
      `${next.subAccountId}: ${waiting.length} of ${days.length} days left; ${next.day}: ${next.detail} …`,
    );
    await setTimeout(PAUSE_MS, undefined, { signal: interrupted }).catch(() => {});
  }
}

await runCommand(COMMAND, main);
