import { Duration } from 'aws-cdk-lib';
import { MathExpression, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { type AlarmDefinitions, type AlarmsProps, doctorCommand, logsCommand } from './alarm-definition.ts';
import { countedMetric } from './metrics.ts';

/** The interval of the reconciliation. */
const PERIOD = Duration.hours(1);

/** The alarms about the comparison of 8x8's log export with the table; none if it is off. */
export function reconciliationAlarms(scope: Construct, props: AlarmsProps): AlarmDefinitions {
  const { Reconciliation } = props.functions;
  if (!Reconciliation) return {};
  const metric = (name: string, statistic: string) =>
    countedMetric(scope, name).with({ statistic, period: PERIOD });
  const isRecorded = props.settings.reconciliation === 'record';
  const reconcile = `npx --no vss-webhook reconcile --stage ${props.stageName}`;
  return {
    SessionsMissed: {
      metric: metric('MissedSessions', 'Sum'),
      threshold: 1,
      means: "8x8's log export has sessions that 8x8 never delivered, or not to this webhook.",
      risk: isRecorded
        ? 'only fields that the export lacks: the sessions are recorded as reconstructed.'
        : 'these sessions: they are only reported, because the setting reconciliation is "report".',
      first: isRecorded
        ? `${reconcile}, which lists them by day; then ${doctorCommand(props)}`
        : `${reconcile}, which lists them by day and records them`,
    },
    ReconciliationOverdue: {
      metric: metric('ReconciliationOverdue', 'Maximum'),
      threshold: 1,
      periods: 2,
      // A failure to measure must not hide a day that was not compared.
      missing: TreatMissingData.BREACHING,
      means:
        "A day of a sub-account has been due for more than 24 hours and is not compared with 8x8's log export: 8x8 does not finish the export, or rejects it. Or this was not measured for two hours.",
      risk: 'nothing yet, but sessions of that day that 8x8 never delivered go unnoticed.',
      first: `${logsCommand(Reconciliation)}; then ${doctorCommand(props)}`,
    },
    LogExportEmpty: {
      // A stage whose first sessions are of today has none in the export of yesterday, but of two days in a row it has.
      metric: new MathExpression({
        expression: 'IF(exported < 1 AND recorded > 0, 1, 0)',
        usingMetrics: {
          exported: countedMetric(scope, 'ExportedSessions'),
          recorded: countedMetric(scope, 'SessionsRecorded'),
        },
        period: Duration.days(1),
      }),
      threshold: 1,
      periods: 2,
      means:
        "For two days, 8x8's log export had no session of any sub-account, although sessions were recorded: it is of another account, or incomplete.",
      risk: 'nothing yet, but sessions that 8x8 never delivered go unnoticed, and what calls cost is unknown.',
      first: `${reconcile} --again; then ask 8x8 why the log export is empty`,
    },
    ReconciliationHeld: {
      metric: metric('ReconciliationHeld', 'Maximum'),
      threshold: 1,
      // While it is not measured, the alarm keeps its state.
      missing: TreatMissingData.IGNORE,
      means:
        'A day of a sub-account is held until a person decides: too many of its sessions are missing, none of them was delivered although deliveries were accepted, or the export is too large.',
      risk: 'every session of that day that 8x8 never delivered.',
      first: `${reconcile}, which shows the day and why it is held; then the same with --beyond-limit, which records them`,
    },
    RowsRefused: {
      metric: metric('RefusedRows', 'Sum'),
      threshold: 1,
      means: "8x8's log export has rows that cannot be read: its format may have changed.",
      risk: 'undelivered sessions in these rows, which are not recorded; and what their calls cost.',
      first: `${reconcile}, which shows the first of these rows by number, with the reason`,
    },
  };
}
