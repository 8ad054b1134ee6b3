import type { DuckDBConnection } from '@duckdb/node-api';
import * as v from 'valibot';
import type { Card } from './card.ts';
import { lineChart } from './line-chart.ts';
import { Count, rowsOf } from './rows.ts';
import { partLabel, type Timeline } from './timeline.ts';
import { counted, decimal, percent } from './wording.ts';

const Part = v.object({ part: v.string(), amount: Count, value: v.nullable(v.number()) });

const shareOf = (value: number) => percent(value, 1);

/** The share of answered sessions over time. Returns undefined for a single day, week, month or year. */
export async function answerRate(
  connection: DuckDBConnection,
  timeline: Timeline | undefined,
): Promise<Card | undefined> {
  if (!timeline || timeline.parts.length < 2) return undefined;
  const rows = await rowsOf(
    connection,
    Part,
    `SELECT ${timeline.sql} AS part, count(*) AS amount, avg(CAST(outcome = 'answered' AS integer)) AS value
FROM session_facts GROUP BY ALL`,
  );
  return overTime('Answer rate', 'session', timeline, rows, shareOf, [0, 1]);
}

/** The mean opinion score over time. Returns undefined for a single day, or without scores. */
export async function qualityOverTime(
  connection: DuckDBConnection,
  timeline: Timeline | undefined,
): Promise<Card | undefined> {
  if (!timeline || timeline.parts.length < 2) return undefined;
  const rows = await rowsOf(
    connection,
    Part,
    `SELECT ${timeline.sql} AS part, count(*) AS amount, avg(mos) AS value
FROM leg_facts WHERE mos IS NOT NULL GROUP BY ALL`,
  );
  return overTime('Mean MOS over time', 'leg', timeline, rows, decimal, [1, 5]);
}

function overTime(
  title: string,
  noun: string,
  { parts, unit }: Timeline,
  rows: readonly v.InferOutput<typeof Part>[],
  format: (value: number) => string,
  range: readonly [number, number],
): Card | undefined {
  const points = parts.map((part) => ({
    label: partLabel(part, unit),
    ...rows.find((row) => row.part === part),
  }));
  const known = points.flatMap(({ label, amount, value }) =>
    amount === undefined || value === undefined || value === null ? [] : [{ label, amount, value }],
  );
  const [lowest] = known.toSorted((a, b) => a.value - b.value);
  const last = known.at(-1);
  if (!lowest || !last) return undefined;
  return {
    title,
    sentence: `The lowest ${unit} is ${lowest.label} with ${format(lowest.value)}, of ${counted(lowest.amount, noun)}; the last one is ${last.label} with ${format(last.value)}.`,
    figure: {
      chart: lineChart({
        label: `Line: ${title}, by ${unit}`,
        columns: points.map(({ label }) => label),
        values: points.map(({ value }) => value ?? undefined),
        colour: 'blue',
        format,
        range,
      }),
      table: {
        caption: `${title}, by ${unit}`,
        columns: ['From', title, `${noun}s`],
        rows: points.map(({ label, value, amount = 0 }) => [
          label,
          value === undefined || value === null ? '–' : format(value),
          amount,
        ]),
      },
    },
  };
}
