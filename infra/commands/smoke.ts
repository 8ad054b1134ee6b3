import { defineCommand } from './command-line/command.ts';
import { wholeNumber } from './command-line/number-option.ts';
import { STAGE_HELP, STAGE_OPTION } from './command-line/stage-option.ts';

const HELP = `Usage: npx vss-webhook smoke [options]

Tests a deployed stage end to end and prints one line per step: checks at 8x8 that
the webhook of each sub-account is registered, delivers a test session to the
webhook as 8x8 would, waits for its record, delivers it again (a duplicate),
delivers one of an unknown sub-account, sends the resulting dead letter back to the
queue, and publishes a test message to the alarm topic. Removes all test data
afterwards, also after a failure or Ctrl-C, and reports what it could not remove. A
second Ctrl-C exits immediately and removes nothing more.

If API Gateway does not allow this machine's address (allowedSourceIps), the
command invokes the webhook function instead, and prints a note.

The dead letter exists for some seconds and may trigger the alarm DeadLetters. The
metrics include the test data: two recorded sessions, a duplicate and a rejected
delivery.

Exit code 0 if every step passes, 1 if a step fails or test data is left behind, 2
if the command line is invalid or the stage does not exist.

Options:
${STAGE_HELP}
  --export           Also export the table to S3 and run a query in Athena. Takes
                     some minutes and costs as much as a daily export. Not
                     available for local.
  --timeout SECONDS  How long to wait for each effect of a delivery. Raise it if
                     the queue has a backlog. Default 300.
  -h, --help         Show this help.
`;

export const smoke = defineCommand({
  name: 'smoke',
  summary: 'test a deployed stage end to end',
  help: HELP,
  cleansUp: true,
  options: {
    ...STAGE_OPTION,
    export: { type: 'boolean', default: false },
    timeout: { type: 'string', default: '300' },
  },
  async run({ values }, context) {
    const timeoutMs = wholeNumber('timeout', values.timeout, 1, 86_400) * 1_000;
    const { runSmokeTest } = await import('./smoke/run-smoke-test.ts');
    return runSmokeTest({ ...values, timeoutMs }, context);
  },
});
