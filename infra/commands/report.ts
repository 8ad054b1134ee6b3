import { defineCommand, seeHelp, UsageError } from './command-line/command.ts';
import { dayRange } from './command-line/time-options.ts';
import { timeZone } from './command-line/time-zone-option.ts';

const HELP = `Usage: npx vss-webhook report EXPORT [options]

Creates an HTML page with charts of an export of the table: outcomes, errors, call
quality, talk time, opt-outs, conflicts, and what calls cost. The page is a single
file without scripts and needs no network. It contains no phone numbers and no
session ids.

EXPORT is a folder that contains exports, or s3://BUCKET/PREFIX, which is fetched
first with the AWS credentials and region of the shell. Charges are read from
"charges" in it or, if it is named exports, beside it.

Options:
  --sub-account ID  Only the sessions of this sub-account. May be given more than
                    once.
  --country CODE    Only the sessions with this country of the other party, such as
                    SG; ?? if it is unknown. May be given more than once.
  --from DAY        Only the sessions from this day on: a day such as 2026-11-01,
                    today, yesterday, or 7d for seven days ago. The page then
                    compares the period with the one of the same length before.
  --to DAY          Only the sessions up to this day.
  --time-zone ZONE  Time zone of days and hours, such as Asia/Singapore. Default UTC.
  --fresh           Fetch everything from S3, without reading or writing the cache in
                    ~/.cache/vss-webhook.
  --out FILE        The file to write. An existing file is replaced. Default:
                    report.html.
  -h, --help        Show this help.
`;

export const report = defineCommand({
  name: 'report',
  summary: 'create a page with charts of an export',
  help: HELP,
  takesArguments: true,
  options: {
    'sub-account': { type: 'string', multiple: true },
    country: { type: 'string', multiple: true },
    from: { type: 'string' },
    to: { type: 'string' },
    'time-zone': { type: 'string', default: 'UTC' },
    fresh: { type: 'boolean', default: false },
    out: { type: 'string', default: 'report.html' },
  },
  async run({ values, args }, context) {
    const [source, ...rest] = args;
    if (source === undefined)
      throw new UsageError(seeHelp('report', 'Missing EXPORT: expected a folder or s3://BUCKET/PREFIX'));
    if (rest.length > 0)
      throw new UsageError(seeHelp('report', `Unexpected argument "${rest[0]}": expected one EXPORT`));
    const zone = timeZone(values['time-zone']);
    const scope = {
      ...dayRange(values, zone),
      subAccounts: values['sub-account'],
      countries: values.country?.map((code) => code.toUpperCase()),
    };
    const { writeReport } = await import('./report/write-report.ts');
    return writeReport(source, { scope, timeZone: zone, isCached: !values.fresh, out: values.out }, context);
  },
});
