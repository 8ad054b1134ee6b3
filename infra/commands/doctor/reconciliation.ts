import { age } from '../../terminal/age.ts';
import type { DeployedStage } from '../stage/deployed-stage.ts';
import { countedBy, newestFirst } from '../stage/metric.ts';
import type { Diagnosis } from './diagnosis.ts';

const PERIOD_SECONDS = 300;
const DAY_MS = 86_400_000;

/** The function measures every hour, and runs for up to a quarter of an hour. */
const MAX_AGE_MS = 2 * 3_600_000;

/** How many days back to count missed sessions. */
const MISSED_DAYS = 7;

const SEE_LOG = 'see the log of the function Reconciliation';

/** Checks that no day is overdue for the comparison with 8x8's log export. No result if the setting is `off`. */
export async function reconciliation(stage: DeployedStage): Promise<Diagnosis[]> {
  if (stage.outputs.ReconciliationFunctionName === undefined) return [];
  const [[overdue], [held], missed] = await Promise.all([
    values(stage, 'ReconciliationOverdue', 'Maximum'),
    values(stage, 'ReconciliationHeld', 'Maximum'),
    values(stage, 'MissedSessions', 'Sum'),
  ]);
  if (!overdue)
    return [{ isHealthy: false, text: `not measured in the last ${MISSED_DAYS} days; ${SEE_LOG}` }];
  const problems = [late(overdue.at), overdueDays(overdue.value), heldDays(stage, held?.value)].flat();
  const count = missed.reduce((sum, { value }) => sum + value, 0);
  const hint = count === 0 ? '' : `. To list them: ${reconcileCommand(stage)}`;
  const healthy = `no day is overdue for more than 24 hours, and none is held; ${count || 'no'} missed ${count === 1 ? 'session' : 'sessions'} counted in the last ${MISSED_DAYS} days${hint}`;
  const isHealthy = problems.length === 0;
  // What happened since then is not known: the function measures every hour.
  const measured = `measured ${age(overdue.at)} ago: `;
  return (isHealthy ? [healthy] : problems).map((text) => ({ isHealthy, text: `${measured}${text}` }));
}

/** The values of a metric, newest first. */
function values({ settings, stackName }: DeployedStage, name: string, stat: 'Sum' | 'Maximum') {
  return newestFirst(settings('cloudwatch'), {
    metric: countedBy(stackName, name),
    stat,
    since: Date.now() - MISSED_DAYS * DAY_MS,
    periodSeconds: PERIOD_SECONDS,
  });
}

function late(measuredAt: number): string[] {
  return Date.now() - measuredAt > MAX_AGE_MS ? [`expected every hour; ${SEE_LOG}`] : [];
}

function overdueDays(count: number): string[] {
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
