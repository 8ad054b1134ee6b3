import type { DayProgress } from '../../../functions/reconciliation/progress.ts';
import { LIMIT } from '../../../functions/reconciliation/reconcile-day.ts';
import type { Counts } from '../../../functions/reconciliation/result.ts';
import { inOneLine } from '../../terminal/printable.ts';
import { printStatus } from '../../terminal/status-line.ts';
import type { DeployedStage } from '../stage/deployed-stage.ts';

/** Prints a day of a sub-account: its counts, and the first of the sessions and rows that need attention. */
export function printDay(progress: DayProgress, { name, outputs }: DeployedStage): void {
  const { subAccountId, day, state, detail, counts, result } = progress;
  if (state === 'failed' || !counts) {
    printStatus('FAIL', day, `${subAccountId}: ${detail}`);
    return;
  }
  const isHeld = state === 'held';
  printStatus(isHeld ? 'FAIL' : 'ok', day, `${subAccountId}: ${countsText(counts)}`);
  if (isHeld)
    printLine(
      `More than ${LIMIT.toLocaleString('en')} sessions are missing: deliveries failed, or the export is of another account. None was recorded. To record them: npm run reconcile -- --stage ${name} --from ${day} --to ${day} --sub-account ${subAccountId} --beyond-limit`,
    );
  if (!result) return;
  const where = `s3://${outputs.ExportBucketName}/reconciliation/results/${day}/`;
  printList('missing', counts.missing, result.missingSessions, where);
  const differing = result.differingSessions.map(
    ({ sessionId, exported, recorded }) =>
      `${sessionId}  ${exported} in the export, ${recorded || 'no status'} in the table`,
  );
  printList('differing', counts.differing, differing, where);
  printList('reconstructed', counts.reconstructed, result.reconstructedSessions, where);
  const refused = result.refused.map(({ file, row, reason }) => `file ${file}, row ${row}: ${reason}`);
  printList('refused', counts.refusedRows, refused, where);
}

/** The counts of all days that were reconciled. */
export function totalText(days: readonly DayProgress[]): string {
  const counted = days.flatMap(({ counts }) => counts ?? []);
  const sum = (name: keyof Counts) => counted.reduce((total, counts) => total + counts[name], 0);
  const failed = days.length - counted.length;
  const others = failed > 0 ? `${failed} failed. In the others: ` : '';
  return `${days.length} ${days.length === 1 ? 'day' : 'days'}: ${others}${sum('sessions')} exported, ${sum('missing')} missing, ${sum('recorded')} recorded, ${sum('differing')} differing, ${sum('refusedRows')} rows refused.`;
}

/** What is always shown, and then the counts that are usually 0, if they are not. */
function countsText(counts: Counts): string {
  const { sessions, matched, missing, recorded, differing, refusedRows } = counts;
  const others = OTHERS.flatMap(([name, text]) => (counts[name] > 0 ? [`${counts[name]} ${text}`] : []));
  return [
    `${sessions} exported`,
    `${matched} matched`,
    `${missing} missing`,
    `${recorded} recorded`,
    `${differing} differing`,
    `${refusedRows} rows refused`,
    ...others,
  ].join(', ');
}

const OTHERS = [
  ['reconstructed', 'reconstructed earlier'],
  ['updated', 'of these updated'],
  ['late', 'too recent to tell'],
  ['expired', 'deleted by retentionDays'],
  ['deadLettered', 'in the dead-letter queue'],
  ['unusable', 'with too many legs to be recorded, or too large'],
] as const satisfies readonly (readonly [keyof Counts, string])[];

function printList(name: string, count: number, listed: readonly string[], where: string): void {
  for (const each of listed) printLine(`${name}  ${each}`);
  if (count > listed.length) printLine(`${name}  and ${count - listed.length} more: see ${where}`);
}

function printLine(text: string): void {
  process.stdout.write(`       ${inOneLine(text)}\n`);
}
