import { defineCommand, seeHelp, UsageError } from './command-line/command.ts';
import { positiveNumber } from './command-line/number-option.ts';
import { STAGE_HELP, STAGE_OPTION } from './command-line/stage-option.ts';
import { dayRange, timeInUtc } from './command-line/time-options.ts';

const HELP = `Usage: npx vss-webhook restore EXPORT [options]

Merges the sessions of exports into the table of a stage, as the recorder merges
deliveries: a session that the table lacks is added; of one that it has, the summaries
of both records are kept, and the newest is shown. Nothing that is newer is lost, and
no session event is published. infra/commands/restore/README.md says when and how.

EXPORT is a folder that contains exports, or s3://BUCKET/PREFIX, which is fetched
first with the AWS credentials and region of the shell, and cached in
~/.cache/vss-webhook. The newest full export counts, with the incremental ones after
it: what they delete is not restored. A session that was erased, in the table or in
any of the exports, stays erased. A record keeps its own expiry, or the one in the
table if that is later; a record that has expired is not restored.

The command shows what it will do and asks for confirmation.

Options:
${STAGE_HELP}
  --as-of TIME     Restore the state of the table at this time in UTC, such as
                   2026-11-27T02:00:00Z: the newest full export until then, with the
                   incremental ones until then.
  --session ID     Restore only this session. May be repeated.
  --from DAY       Restore only sessions that ended on this day (in UTC, such as
                   2026-11-24) or later. A session without an end counts on the day
                   on which it was received. Erased sessions are erased regardless.
  --to DAY         Restore only sessions that ended on this day or earlier.
  --rate NUMBER    Maximum sessions per second. Default 500.
  --dry-run        Compare the exports with the table, print what would change and
                   what it would cost, and stop.
  --yes            Skip the confirmation. Required if there is no terminal.
  -h, --help       Show this help.

Restoring is idempotent. After Ctrl-C or a failure, run the same command again.

Exit code 0 if everything was restored; 1 after a failure, or if something in the
exports is not a session record, does not fit into a record, or was not found; 2 if
the command line is invalid or the stage does not exist; 130 after Ctrl-C.
`;

export const restore = defineCommand({
  name: 'restore',
  summary: 'merge exports into the table of a stage',
  help: HELP,
  takesArguments: true,
  cleansUp: true,
  options: {
    ...STAGE_OPTION,
    'as-of': { type: 'string' },
    session: { type: 'string', multiple: true },
    from: { type: 'string' },
    to: { type: 'string' },
    rate: { type: 'string', default: '500' },
    'dry-run': { type: 'boolean', default: false },
    yes: { type: 'boolean', default: false },
  },
  async run({ values, args }, context) {
    const [source, unexpected] = args;
    if (source === undefined) throw usage('Missing EXPORT: expected a folder or s3://BUCKET/PREFIX');
    if (unexpected !== undefined) throw usage(`Unexpected argument "${unexpected}"`);
    const options = {
      ...dayRange(values),
      sessionIds: values.session && new Set(values.session),
      stage: values.stage,
      source,
      asOf: values['as-of'] && timeInUtc('as-of', values['as-of']),
      perSecond: positiveNumber('rate', values.rate),
      isDryRun: values['dry-run'],
      isConfirmed: values.yes,
    };
    const { runRestore } = await import('./restore/run-restore.ts');
    return runRestore(options, context);
  },
});

function usage(problem: string): UsageError {
  return new UsageError(seeHelp('restore', problem));
}
