import type { DuckDBConnection } from '@duckdb/node-api';
import { busyHours } from './busy-hours.ts';
import { callQuality } from './call-quality.ts';
import { type Card, cardMarkup } from './card.ts';
import { conflicts } from './conflicts.ts';
import { errors } from './errors.ts';
import { readFacts } from './facts.ts';
import { type HeadlineFigure, readHeadline } from './headline.ts';
import { html } from './html.ts';
import { optOuts } from './opt-outs.ts';
import { outcomesByCountry } from './outcomes-by-country.ts';
import { outcomesOverTime } from './outcomes-over-time.ts';
import { STYLESHEET } from './stylesheet.ts';
import { talkTime } from './talk-time.ts';
import { readTimeline } from './timeline.ts';
import { unrecognised } from './unrecognised.ts';
import { counted } from './wording.ts';
import { worstRoutes } from './worst-routes.ts';

/** A report, with the number and the dates of its sessions. */
export interface Page {
  html: string;
  sessions: number;
  /** `2026-10-22 to 2026-11-20`; undefined if no session has a plausible start date. */
  range: string | undefined;
}

/**
 * Creates the report of the sessions in a database.
 *
 * @param time The point in time of the exported data (ISO 8601).
 */
export async function makePage(connection: DuckDBConnection, time: string): Promise<Page> {
  await readFacts(connection);
  const { sessions, figures } = await readHeadline(connection);
  const timeline = await readTimeline(connection);
  const cards = [
    await outcomesOverTime(connection, timeline),
    await outcomesByCountry(connection),
    await errors(connection),
    await callQuality(connection),
    await worstRoutes(connection),
    await talkTime(connection),
    await busyHours(connection),
    await optOuts(connection, timeline),
    await conflicts(connection, timeline),
    await unrecognised(connection),
  ].filter((card) => card !== undefined);
  const range = timeline && `${timeline.first} to ${timeline.last}`;
  return { html: document({ sessions, range, time, figures, cards }), sessions, range };
}

interface Content {
  sessions: number;
  range: string | undefined;
  time: string;
  figures: readonly HeadlineFigure[];
  cards: readonly Card[];
}

function document({ sessions, range, time, figures, cards }: Content): string {
  const parts = [counted(sessions, 'session'), ...(range === undefined ? [] : [range])];
  const headline = figures.map(
    ({ name, value, note }) =>
      html`<div><dt>${name}</dt><dd class="value">${value}</dd>${note === undefined ? undefined : html`<dd class="note">${note}</dd>`}</div>\n`,
  );
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Voice sessions: ${parts.join(', ')}</title>
<style>${{ markup: STYLESHEET }}</style>
</head>
<body>
<header>
<h1>Voice sessions</h1>
<p>${parts.map((part) => html`<span>${part}</span>, `)}<span>table as of ${minuteOf(time)}</span></p>
</header>
<main>
<dl>
${headline}</dl>
<div class="cards">
${cards.map(cardMarkup)}</div>
</main>
<footer>Created by <code>npm run report</code>. All times are in UTC. This page contains no phone numbers and no session ids.</footer>
</body>
</html>
`.markup;
}

/** `2026-11-21 02:00 UTC`. */
function minuteOf(time: string): string {
  const [, day, minute] = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)/.exec(time) ?? [];
  return day === undefined ? time : `${day} ${minute} UTC`;
}
