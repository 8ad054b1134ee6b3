import type { Incomplete } from '../duckdb/notice.ts';
import { type Card, cardMarkup } from './card.ts';
import type { HeadlineFigure } from './headline.ts';
import { html, type Markup } from './html.ts';
import { STYLESHEET } from './stylesheet.ts';

/** The contents of the page. */
export interface Content {
  /** What the numbers are about. */
  subject: readonly string[];
  /** What they are limited to, and compared with. */
  notes: readonly string[];
  warnings: readonly Warning[];
  timeZone: string;
  figures: readonly HeadlineFigure[];
  cards: readonly Card[];
}

/** What is incomplete in the data, and when. */
export interface Warning extends Pick<Incomplete, 'text'> {
  time: string;
}

/** The page as a single file without scripts. */
export function documentOf({ subject, notes, warnings, timeZone, figures, cards }: Content): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Voice sessions: ${subject.join(', ')}</title>
<style>${{ markup: STYLESHEET }}</style>
</head>
<body>
<header>
<h1>Voice sessions</h1>
<p>${listed(subject)}</p>
${notes.length > 0 ? html`<p>${listed(notes)}</p>\n` : undefined}</header>
<main>
${warnings.length > 0 ? warningMarkup(warnings) : undefined}<dl style="--columns:${Math.ceil(figures.length / 2)}">
${figures.map(figureMarkup)}</dl>
${
  cards.length === 0
    ? html`<p>The export has no sessions in this period.</p>`
    : html`<div class="cards">
${cards.map(cardMarkup)}</div>`
}
</main>
<footer>Created by <code>npx vss-webhook report</code>. Days and hours are in the time zone ${timeZone}. This page contains no phone numbers and no session ids.</footer>
</body>
</html>
`.markup;
}

const listed = (parts: readonly string[]) =>
  parts.map((part, i) => html`${i > 0 ? ', ' : ''}<span>${part}</span>`);

const MAX_WARNINGS = 10;

function warningMarkup(warnings: readonly Warning[]): Markup {
  const more = warnings.length - MAX_WARNINGS;
  return html`<aside aria-label="Incomplete data">
<h2>The data is incomplete</h2>
<ul>
${warnings.slice(0, MAX_WARNINGS).map(({ time, text }) => html`<li><b>${time}</b>: ${text}</li>\n`)}${more > 0 ? html`<li>And ${more} more, which the command printed.</li>\n` : undefined}</ul>
</aside>
`;
}

function figureMarkup({ name, value, note = '', change = '' }: HeadlineFigure) {
  const notes = [change, note].filter((text) => text !== '');
  return html`<div><dt>${name}</dt><dd class="value">${value}</dd>${notes.map((text) => html`<dd class="note">${text}</dd>`)}</div>\n`;
}
