import { defineCommand } from './command-line/command.ts';
import { STAGE_HELP, STAGE_OPTION } from './command-line/stage-option.ts';

const HELP = `Usage: npx vss-webhook doctor [options]

Checks the health of a stage and prints one line per check:

  registration  whether the webhook of each sub-account is registered at 8x8
  queue         how many deliveries are waiting, and the age of the oldest
  dead letters  how many messages are in the dead-letter queue, by reason
  last session  when a session was last recorded; never fails, because there may
                have been no sessions
  exports       the age of the exported data, and when it was measured
  log export    whether a day is overdue for the comparison with 8x8's log export,
                and how many missed sessions that found; fails if a day is overdue,
                or held because too many of its sessions are missing. The function
                measures this every hour: the check knows nothing that is newer
  events        whether the pipe that publishes session events runs, and how many
                events it could not publish

The command changes nothing. Exit code 0 if every check passes, 1 if one fails, 2
if the command line is invalid or the stage does not exist.

8x8 does not return the Authorization value that it sends, so that value is not
checked. If it were wrong, the webhook would answer 401. The command queries 8x8
for four sub-accounts per second. If 8x8 does not respond, or limits the rate, it
retries for up to two minutes.

Options:
${STAGE_HELP}
  -h, --help         Show this help.
`;

export const doctor = defineCommand({
  name: 'doctor',
  summary: 'check the health of a stage',
  help: HELP,
  cleansUp: true,
  options: STAGE_OPTION,
  async run({ values }, context) {
    const { checkStage } = await import('./doctor/check-stage.ts');
    return checkStage(values.stage, context);
  },
});
