import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import * as v from 'valibot';
import { addDays, dayOf } from '../../functions/reconciliation/day.ts';
import { LIMIT } from '../../functions/reconciliation/reconcile-day.ts';
import { DayProgress } from '../../functions/reconciliation/result.ts';
import { FRESH_HOURS, MAX_WINDOW_DAYS, Window } from '../../functions/reconciliation/window.ts';
import { progress } from '../terminal/progress.ts';
import {
  type CommandLine,
  runCommand,
  STAGE_HELP,
  STAGE_OPTION,
  seeHelp,
  UsageError,
} from './command-line/command.ts';
import { endedDays } from './reconcile/ended-days.ts';
import { printDay, totalText } from './reconcile/print-day.ts';
import { type DeployedStage, findStage, printPlace } from './stage/deployed-stage.ts';

const DEFAULT_DAYS = 7;

const HELP = `Usage: npm run reconcile -- [options]

Asks 8x8's log export for the sessions of past days, compares them with the table,
and records those that are missing, because 8x8 never delivered them. The schedule
does this for each day one, three and seven days later. Use this command for older
days (the first time, to backfill), after an outage, or to see what was found.

For each day and sub-account it prints how many sessions the export has, how many
of them match a record, are missing, were recorded, or have another status in the
table, and how many rows of the export could not be read.

Recording is idempotent. After Ctrl-C, the same command without --again resumes
where it stopped: of days that were reconciled in the last ${FRESH_HOURS} hours, it shows what
was found then. The command waits until 8x8 has made the exports.

Options:
${STAGE_HELP}
  --from DAY         First day, in UTC, such as 2026-11-24. Default: ${DEFAULT_DAYS - 1} days
                     before --to.
  --to DAY           Last day. Default: yesterday. At most ${MAX_WINDOW_DAYS} days.
  --sub-account ID   Only this sub-account. May be repeated. Default: all.
  --report           Only report. Record nothing.
  --beyond-limit     Also record days that are held: more than ${LIMIT} sessions are
                     missing, or no session of the export was delivered. Without
                     it, such a day is only reported.
  --again            Also reconcile days that were reconciled in the last ${FRESH_HOURS} hours.
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
  const subAccountIds = subAccountsOf(values, stage);
  const reconcile = reconciler(stage);
  if (!values.json) printPlace(stage);
  const all: DayProgress[] = [];
  progress('Asking 8x8 …');
  // One sub-account at a time, because Lambda limits a response to 6 MB.
  for (const subAccountId of subAccountIds) {
    const invoke = (skipped: string[]) => reconcile({ ...window, subAccountId, skipped });
    for await (const day of endedDays(invoke, interrupted, showWaiting)) {
      progress();
      all.push(day);
      if (values.json) process.stdout.write(`${JSON.stringify(day)}\n`);
      else printDay(day, stage);
    }
  }
  progress();
  if (!values.json && all.length > 0) process.stdout.write(`\n${totalText(all)}\n`);
  if (all.some(({ state }) => state !== 'done')) process.exitCode = 1;
  if (!interrupted.aborted) return;
  process.stderr.write('Interrupted. The same command resumes where this one stopped.\n');
  // The function still runs for a moment. What it reconciles in this time is not lost.
  process.exit(130);
}

function showWaiting(waiting: readonly DayProgress[]): void {
  const [next] = waiting;
  if (next) progress(`${next.subAccountId}: ${waiting.length} days left; ${next.day}: ${next.detail} …`);
}

/** Reads the window. @throws UsageError */
function windowOf(values: Values): Omit<Window, 'subAccountId' | 'skipped'> {
  const today = dayOf(Date.now());
  const to = values.to ?? addDays(today, -1);
  const from = values.from ?? addDays(to, 1 - DEFAULT_DAYS);
  const parsed = v.safeParse(Window, {
    subAccountId: '',
    from,
    to,
    mode: values.report ? 'report' : 'record',
    beyondLimit: values['beyond-limit'],
    again: values.again,
  });
  if (!parsed.success)
    throw invalid(`--from ${from} --to ${to}: ${parsed.issues[0].message.replace(/^Invalid .*: /, '')}`);
  if (to > today) throw invalid(`--to ${to}: expected today or a day before`);
  if (values.report && values['beyond-limit'])
    throw invalid('--report with --beyond-limit: a report records nothing');
  return parsed.output;
}

/** @throws UsageError */
function subAccountsOf(values: Values, { name, outputs }: DeployedStage): string[] {
  const known = outputs.SubAccountIds.split(',');
  const unknown = values['sub-account']?.find((id) => !known.includes(id));
  if (unknown !== undefined)
    throw invalid(`--sub-account ${unknown}: the sub-accounts of ${name} are ${known.join(', ')}`);
  return [...new Set(values['sub-account'] ?? known)];
}

function invalid(problem: string): UsageError {
  return new UsageError(seeHelp('reconcile', `Invalid ${problem}`));
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

await runCommand(COMMAND, main);
