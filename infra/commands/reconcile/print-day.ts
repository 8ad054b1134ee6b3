import type { DayProgress, Result } from '../../../functions/reconciliation/result.ts';
import { statusLine } from '../../terminal/output.ts';
import { inOneLine } from '../../terminal/printable.ts';
import type { DeployedStage } from '../stage/deployed-stage.ts';

/** The name of a count. */
type Count = { [Name in keyof Result]: Result[Name] extends number ? Name : never }[keyof Result];

/** A day of a sub-account as text: its counts, and the first of the sessions and rows that need attention. */
export function dayLines(progress: DayProgress, { name, outputs }: DeployedStage): string {
  const { subAccountId, day, state, detail, result } = progress;
  if (state === 'failed' || !result) return statusLine('FAIL', day, `${subAccountId}: ${detail}`);
  const isHeld = state === 'held';
  const where = `s3://${outputs.ExportBucketName}/reconciliation/results/${day}/`;
  return [
    statusLine(isHeld ? 'FAIL' : 'ok', day, `${subAccountId}: ${countsText(result)}`),
    ...(detail === undefined ? [] : [indented(detail)]),
    ...(isHeld && result.missing > 0 ? [indented(heldText(name, subAccountId, day))] : []),
    ...listLines(result, where),
  ].join('\n');
}

function heldText(stage: string, subAccountId: string, day: string): string {
  return `If they are missing indeed, record them: npx vss-webhook reconcile --stage ${stage} --from ${day} --to ${day} --sub-account ${subAccountId} --beyond-limit`;
}

function listLines(result: Result, where: string): string[] {
  const differing = result.differingSessions.map(
    ({ sessionId, exported, recorded }) =>
      `${sessionId}  ${exported} in the export, ${recorded || 'no status'} in the table`,
  );
  const refused = result.refused.map(({ file, row, reason }) => `file ${file}, row ${row}: ${reason}`);
  return [
    ...list('missing', result.missing, result.missingSessions, where),
    ...list('differing', result.differing, differing, where),
    ...list('foreign', result.foreign, result.foreignSessions, where),
    ...list('not recorded', result.withRefusedRows, result.withRefusedRowsSessions, where),
    ...list('reconstructed', result.reconstructed, result.reconstructedSessions, where),
    ...list('refused', result.refusedRows, refused, where),
  ];
}

/** The counts of all days that were reconciled. */
export function totalText(days: readonly DayProgress[]): string {
  const counted = days.flatMap(({ result }) => result ?? []);
  const sum = (name: Count) => counted.reduce((total, result) => total + result[name], 0);
  const failed = days.length - counted.length;
  const others = failed > 0 ? `${failed} failed. In the others: ` : '';
  return `${days.length} ${days.length === 1 ? 'day' : 'days'}: ${others}${sum('sessions')} exported, ${sum('missing')} missing, ${sum('recorded')} recorded, ${sum('differing')} differing, ${sum('refusedRows')} rows refused.`;
}

/** What is always shown, and then the counts that are usually 0, if they are not. */
function countsText(result: Result): string {
  const { sessions, matched, missing, recorded, differing, refusedRows } = result;
  const others = OTHERS.flatMap(([name, text]) => (result[name] > 0 ? [`${result[name]} ${text}`] : []));
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
  ['erased', 'erased'],
  ['foreign', 'recorded for another sub-account'],
  ['withRefusedRows', 'not recorded, because a row of theirs was refused'],
  ['unusable', 'with too many legs to be recorded, or too large'],
  ['incomplete', 'recorded without a status or an end'],
  ['unreadableValues', 'unreadable values left out'],
  ['keptRows', 'stored rows kept that the export lacks'],
] as const satisfies readonly (readonly [Count, string])[];

function list(name: string, count: number, listed: readonly string[], where: string): string[] {
  const lines = listed.map((each) => indented(`${name}  ${each}`));
  const more = count - listed.length;
  return more > 0 ? [...lines, indented(`${name}  and ${more} more: see ${where}`)] : lines;
}

const indented = (text: string) => `       ${inOneLine(text)}`;
