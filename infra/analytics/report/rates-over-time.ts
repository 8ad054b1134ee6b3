import type { DuckDBConnection } from '@duckdb/node-api';
import * as v from 'valibot';
import type { Card } from './card.ts';
import { MEAN_MOS } from './facts.ts';
import { lineChart } from './line-chart.ts';
import { Count, rowsOf } from './rows.ts';
import { HEADINGS, partLabel, type Timeline } from './timeline.ts';
import { counted, decimal, percent } from './wording.ts';

const Part = v.object({ part: v.string(), amount: Count, value: v.number() });

interface Rate {
  title: string;
  /** What has a value, and is counted. */
  noun: string;
  heading: string;
  value: string;
  from: string;
  format: (value: number) => string;
  /** The lowest and the highest possible value. */
  range: readonly [min: number, max: number];
}

const ANSWER_RATE: Rate = {
  title: 'Answer rate',
  noun: 'session',
  heading: 'Sessions',
  value: "avg(CAST(outcome = 'answered' AS integer))",
  from: 'session_facts',
  format: (value) => percent(value, 1),
  range: [0, 1],
};

const QUALITY: Rate = {
  title: 'Mean MOS over time',
  noun: 'leg',
  heading: 'Legs',
  value: MEAN_MOS,
  from: 'leg_facts WHERE mos IS NOT NULL',
  format: decimal,
  range: [1, 5],
};

/** The share of answered sessions over time. Returns undefined for a single day, week, month or year. */
export const answerRate = (connection: DuckDBConnection, timeline: Timeline | undefined) =>
  rateCard(connection, timeline, ANSWER_RATE);

/** The mean opinion score over time. Returns undefined for a single day, week, month or year, or without scores. */
export const qualityOverTime = (connection: DuckDBConnection, timeline: Timeline | undefined) =>
  rateCard(connection, timeline, QUALITY);

async function rateCard(
  connection: DuckDBConnection,
  timeline: Timeline | undefined,
  { title, noun, heading, value: average, from, format, range }: Rate,
): Promise<Card | undefined> {
  if (!timeline || timeline.parts.length < 2) return undefined;
  const { parts, unit, sql } = timeline;
  const rows = await rowsOf(
    connection,
    Part,
    `SELECT ${sql} AS part, count(*) AS amount, ${average} AS value FROM ${from} GROUP BY ALL`,
  );
  const points = parts.map((part) => ({
    part,
    label: partLabel(part, unit),
    row: rows.find((each) => each.part === part),
  }));
  const known = points.flatMap(({ label, row }) => (row ? [{ label, ...row }] : []));
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
        values: points.map(({ row }) => row?.value),
        colour: 'blue',
        format,
        range,
      }),
      table: {
        caption: `${title}, by ${unit}`,
        columns: [HEADINGS[unit], title, heading],
        rows: points.map(({ part, row }) => [part, row ? format(row.value) : '–', row?.amount ?? 0]),
      },
    },
  };
}
