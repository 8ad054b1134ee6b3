import type { DuckDBConnection } from '@duckdb/node-api';
import type { Card } from './card.ts';
import { sum } from './cross-tabulate.ts';
import { OUTCOMES } from './outcomes.ts';
import { overTime } from './over-time.ts';
import { talliesOf } from './rows.ts';
import { partLabel, type Timeline } from './timeline.ts';
import { counted, percent } from './wording.ts';

/** The outcomes of sessions over time. */
export async function outcomesOverTime(
  connection: DuckDBConnection,
  timeline: Timeline | undefined,
  sessions: number,
): Promise<Card | undefined> {
  const title = 'Outcomes over time';
  if (!timeline)
    return sessions > 0 ? { title, sentence: 'No session has a plausible start date.' } : undefined;
  const tallies = await talliesOf(
    connection,
    `SELECT ${timeline.sql} AS part, outcome AS kind, count(*) AS count FROM session_facts GROUP BY ALL`,
  );
  const { parts, unit } = timeline;
  const total = (isCounted: (tally: (typeof tallies)[number]) => boolean) =>
    sum(tallies.filter(isCounted).map(({ count }) => count));
  const [busiest] = parts
    .map((part) => ({ part, count: total((tally) => tally.part === part) }))
    .sort((a, b) => b.count - a.count);
  const all = total(() => true);
  const undated = all - total(({ part }) => parts.includes(part));
  const sentences = [
    `${percent(
      total(({ kind }) => kind === 'answered'),
      all,
    )} of the sessions were answered and ${percent(
      total(({ kind }) => kind === 'failed'),
      all,
    )} failed.`,
    busiest && parts.length > 1
      ? `The busiest ${unit} was ${unit === 'week' ? 'the one starting on ' : ''}${partLabel(busiest.part, unit)}, with ${counted(busiest.count, 'session')}.`
      : '',
    undated > 0
      ? `The chart excludes ${counted(undated, 'session')} with a missing, implausible or too old start date.`
      : '',
  ];
  return {
    title,
    sentence: sentences.join(' ').trim(),
    figure: overTime(timeline, tallies, OUTCOMES, `Sessions by ${unit} and outcome`),
  };
}
