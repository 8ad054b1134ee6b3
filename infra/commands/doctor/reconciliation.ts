import { age } from '../../terminal/age.ts';
import type { DeployedStage } from '../stage/deployed-stage.ts';
import { countedBy, newestFirst } from '../stage/metric.ts';
import type { Diagnosis } from './diagnosis.ts';

const HOUR_SECONDS = 3_600;
const DAY_MS = 86_400_000;

/** The function measures every hour, and runs for up to a quarter of an hour. */
const MAX_AGE_MS = 2 * HOUR_SECONDS * 1_000;

/** How many days back to count missed sessions. */
const MISSED_DAYS = 7;

const SEE_LOG = 'see the log of the function Reconciliation';

/** Checks that no day is overdue for the comparison with 8x8's log export. No result if the setting is `off`. */
export async function reconciliation(stage: DeployedStage): Promise<Diagnosis[]> {
  if (stage.outputs.ReconciliationFunctionName === undefined) return [];
  const [[overdue], [held], missed] = await Promise.all([
    hourly(stage, 'ReconciliationOverdue', 'Maximum'),
    hourly(stage, 'ReconciliationHeld', 'Maximum'),
    hourly(stage, 'MissedSessions', 'Sum'),
  ]);
  const problems = [measured(overdue), overdueDays(overdue?.value), heldDays(stage, held?.value)].flat();
  if (problems.length > 0) return problems.map((text) => ({ isHealthy: false, text }));
  const count = missed.reduce((sum, { value }) => sum + value, 0);
  const hint = count === 0 ? '' : `. To list them: ${reconcileCommand(stage)}`;
  return [
    {
      isHealthy: true,
      text: `no day is overdue for more than 24 hours; ${count || 'no'} missed ${count === 1 ? 'session' : 'sessions'} counted in the last ${MISSED_DAYS} days${hint}`,
    },
  ];
}

/** The values of a metric by hour, newest first. */
function hourly({ settings, stackName }: DeployedStage, name: string, stat: 'Sum' | 'Maximum') {
  return newestFirst(settings('cloudwatch'), {
    metric: countedBy(stackName, name),
    stat,
    since: Date.now() - MISSED_DAYS * DAY_MS,
    periodSeconds: HOUR_SECONDS,
  });
}

function measured(newest: { at: number } | undefined): string[] {
  if (!newest) return [`not measured in the last ${MISSED_DAYS} days; ${SEE_LOG}`];
  const endOfHour = newest.at + HOUR_SECONDS * 1_000;
  return Date.now() - endOfHour > MAX_AGE_MS ? [`last measured ${age(newest.at)} ago; ${SEE_LOG}`] : [];
}

function overdueDays(count = 0): string[] {
  return count === 0 ? [] : [`${days(count)} overdue, counted per sub-account; ${SEE_LOG}`];
}

function heldDays(stage: DeployedStage, count = 0): string[] {
  return count === 0
    ? []
    : [
        `${days(count)} held, counted per sub-account, until a person decides. To look at them: ${reconcileCommand(stage)}; to record them, use --beyond-limit instead of --report`,
      ];
}

const days = (count: number) => `${count} ${count === 1 ? 'day' : 'days'}`;

function reconcileCommand({ name }: DeployedStage): string {
  return `npx vss-webhook reconcile --stage ${name} --report`;
}
