import * as v from 'valibot';
import { addDays, dayOf } from '../../functions/reconciliation/day.ts';
import { MAX_AGE_DAYS } from '../../functions/reconciliation/schedule.ts';
import { FRESH_HOURS, LIMIT, MAX_WINDOW_DAYS, Window } from '../../functions/reconciliation/window.ts';
import { type CommandLine, defineCommand, seeHelp, UsageError } from './command-line/command.ts';
import { STAGE_HELP, STAGE_OPTION } from './command-line/stage-option.ts';

const HELP = `Usage: npx vss-webhook reconcile [options]

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
  --from DAY         First day, in UTC, such as 2026-11-24. Default: ${MAX_AGE_DAYS - 1} days
                     before --to, so that the default window has every day that
                     the schedule still reconciles, or reports as held.
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

const OPTIONS = {
  ...STAGE_OPTION,
  from: { type: 'string' },
  to: { type: 'string' },
  'sub-account': { type: 'string', multiple: true },
  report: { type: 'boolean', default: false },
  'beyond-limit': { type: 'boolean', default: false },
  again: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const;

export const reconcile = defineCommand({
  name: 'reconcile',
  summary: "find and record the sessions that 8x8's log export has and the table lacks",
  help: HELP,
  cleansUp: true,
  options: OPTIONS,
  async run({ values }, context) {
    const window = windowOf(values);
    const { reconcileDays } = await import('./reconcile/reconcile-days.ts');
    return reconcileDays({ ...values, window, subAccountIds: values['sub-account'] }, context);
  },
});

/** Reads the window. @throws UsageError */
function windowOf(values: CommandLine<typeof OPTIONS>['values']): Omit<Window, 'subAccountId' | 'skipped'> {
  const today = dayOf(Date.now());
  const to = values.to ?? addDays(today, -1);
  const from = values.from ?? addDays(to, 1 - MAX_AGE_DAYS);
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

function invalid(problem: string): UsageError {
  return new UsageError(seeHelp('reconcile', `Invalid ${problem}`));
}
