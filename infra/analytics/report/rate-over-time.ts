import * as v from 'valibot';
import type { Card } from './card.ts';
import { type Line, lineChart } from './line-chart.ts';
import type { Report } from './report.ts';
import { Count, rowsOf } from './rows.ts';
import { HEADINGS } from './timeline.ts';
import { counted } from './wording.ts';

const Row = v.object({ part: v.string(), amount: Count, value: v.number() });

export interface Rate {
  title: string;
  /** What has a value, and is counted. */
  noun: string;
  heading: string;
  /** SQL of the mean, and of the rows that have a value. */
  value: string;
  from: string;
  format: (value: number) => string;
  axis: Line['axis'];
}

/** A mean over time. Returns undefined for a single day, week, month or year, or without values. */
export async function rateOverTime(
  { connection, timeline }: Report,
  { title, noun, heading, value: mean, from, format, axis }: Rate,
): Promise<Card | undefined> {
  if (!timeline || timeline.parts.length < 2) return undefined;
  const { parts, unit, sql, note } = timeline;
  const rows = await rowsOf(
    connection,
    Row,
    `SELECT ${sql} AS part, count(*) AS amount, ${mean} AS value FROM ${from} GROUP BY ALL`,
  );
  const points = parts.map((part) => ({
    ...part,
    ...(rows.find((row) => row.part === part.start) ?? { amount: 0, value: undefined }),
  }));
  const known = points.flatMap((point) =>
    point.value === undefined ? [] : [{ ...point, value: point.value }],
  );
  const complete = known.filter(({ isIncomplete }) => !isIncomplete);
  // Few sessions of a day that has just begun say little.
  const compared = complete.length > 0 ? complete : known;
  const [lowest] = compared.toSorted((a, b) => a.value - b.value);
  const last = compared.at(-1);
  if (!lowest || !last) return undefined;
  const which = compared.length < known.length ? `complete ${unit}` : unit;
  const textOf = ({ label, value, amount }: typeof last) =>
    `${label} with ${format(value)}, of ${counted(amount, noun)}`;
  return {
    title,
    sentence: `The lowest ${which} is ${textOf(lowest)}; the last one is ${textOf(last)}.`,
    figure: lineChart({
      points,
      colour: 'blue',
      format,
      axis,
      note,
      table: {
        caption: `${title}, by ${unit}`,
        columns: [HEADINGS[unit], title, heading],
        rows: points.map(({ name, value, amount }) => [
          name,
          value === undefined ? '–' : format(value),
          amount,
        ]),
      },
    }),
  };
}
