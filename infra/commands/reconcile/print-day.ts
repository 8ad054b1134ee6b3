import type { Counts, DayProgress } from '../../../functions/reconciliation/result.ts';
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
  if (detail !== undefined) printLine(detail);
  if (isHeld && counts.missing > 0)
    printLine(
      `If they are missing indeed, record them: npx vss-webhook reconcile --stage ${name} --from ${day} --to ${day} --sub-account ${subAccountId} --beyond-limit`,
    );
  if (!result) return;
  const where = `s3://${outputs.ExportBucketName}/reconciliation/results/${day}/`;
  printList('missing', counts.missing, result.missingSessions, where);
  const differing = result.differingSessions.map(
    ({ sessionId, exported, recorded }) =>
      `${sessionId}  ${exported} in the export, ${recorded || 'no status'} in the table`,
  );
  printList('differing', counts.differing, differing, where);
  printList('foreign', counts.foreign, result.foreignSessions, where);
  printList('not recorded', counts.withRefusedRows, result.withRefusedRowsSessions, where);
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
  ['fewerCalls', 'of these kept, because the export has fewer calls'],
  ['unchecked', 'of these not compared, because there are too many for one run'],
  ['late', 'too recent to tell'],
  ['expired', 'deleted by retentionDays'],
  ['deadLettered', 'in the dead-letter queue'],
  ['foreign', 'recorded for another sub-account'],
  ['withRefusedRows', 'not recorded, because a row of theirs was refused'],
  ['unusable', 'with too many legs to be recorded, or too large'],
  ['incomplete', 'recorded without a status or an end'],
  ['unreadableValues', 'unreadable values left out'],
  ['keptRows', 'stored rows kept that the export lacks'],
] as const satisfies readonly (readonly [keyof Counts, string])[];

function printList(name: string, count: number, listed: readonly string[], where: string): void {
  for (const each of listed) printLine(`${name}  ${each}`);
  if (count > listed.length) printLine(`${name}  and ${count - listed.length} more: see ${where}`);
}

function printLine(text: string): void {
  process.stdout.write(`       ${inOneLine(text)}\n`);
}
