import { defineCommand, seeHelp, UsageError } from './command-line/command.ts';
import { STAGE_HELP, STAGE_OPTION } from './command-line/stage-option.ts';
import { readNumber } from './erase/phone-number.ts';

const HELP = `Usage: npx vss-webhook erase [SESSION_ID ...] [options]

Erases sessions permanently: their records, their dead letters, and their rows under
charges/ in the bucket. An erased session stays erased: neither a redelivery, nor
reconciliation, nor a restore brings it back, because its id and the time of the
erasure remain in the table.

With --number, finds the sessions of a phone number. It searches the table only, by
reading all of it, and prints first what that costs.

Shows the sessions with phone numbers masked, and asks for confirmation. Then says
where copies remain, and until when.

Options:
${STAGE_HELP}
  --number NUMBER    Erase the sessions in which this number occurs, in whatever
                     field. Its digits have to be complete, with the country code
                     if 8x8 delivers it: +6591234567 does not match 91234567. May
                     be repeated.
  --dry-run          Show what would be erased, and stop.
  --yes              Skip the confirmations. Required if there is no terminal.
  -h, --help         Show this help.

Ctrl-C stops it. The same command then resumes: a session is marked as erased before
anything is deleted, and its record is kept until everything else is gone.
`;

export const erase = defineCommand({
  name: 'erase',
  summary: 'erase sessions of a person permanently',
  help: HELP,
  takesArguments: true,
  cleansUp: true,
  options: {
    ...STAGE_OPTION,
    number: { type: 'string', multiple: true, default: [] },
    'dry-run': { type: 'boolean', default: false },
    yes: { type: 'boolean', default: false },
  },
  async run({ values: { number, ...options }, args: sessionIds }, context) {
    if (sessionIds.length === 0 && number.length === 0)
      throw new UsageError(seeHelp('erase', 'Name sessions by id, or a phone number with --number'));
    if (sessionIds.includes('')) throw new UsageError(seeHelp('erase', 'A session id is empty'));
    const numbers = number.map(readNumber);
    const { runErase } = await import('./erase/run-erase.ts');
    return runErase({ ...options, sessionIds, numbers }, context);
  },
});
