import { html, type Markup } from './html.ts';
import { cssColour } from './palette.ts';
import type { Series } from './series.ts';
import { number } from './wording.ts';

/** A section of the report. */
export interface Card {
  title: string;
  /** The main finding. */
  sentence: string;
  /** Undefined if there is no data. */
  figure?: Figure;
}

export interface Figure {
  chart?: Markup;
  /** Names of the colours. */
  legend?: readonly Series[];
  /** Stands below the chart. */
  note?: string | undefined;
  /** The numbers behind the chart. */
  table: Table;
}

export type Cell = string | number;

export interface Table {
  caption: string;
  /** The headings. The cells of the first column are row headers. */
  columns: readonly string[];
  rows: readonly (readonly Cell[])[];
}

export function cardMarkup({ title, sentence, figure }: Card): Markup {
  const isTable = figure !== undefined && figure.chart === undefined;
  return html`<section${isTable ? html` class="wide"` : undefined}>
<h2>${title}</h2>
<p>${sentence}</p>
${figure && figureMarkup(figure)}</section>
`;
}

function figureMarkup({ chart, legend = [], note, table }: Figure): Markup {
  const keys = legend
    .filter(({ name }) => name !== '')
    .map(({ name, colour }) => html`<li><i style="background:${cssColour(colour)}"></i>${name}</li>`);
  const names = keys.length > 0 ? html`<ul class="legend">${keys}</ul>\n` : undefined;
  const picture =
    chart && html`<figure>${names}${chart}${note && html`<figcaption>${note}</figcaption>`}</figure>\n`;
  // A table without a chart is expanded.
  return html`${picture}<details${chart ? undefined : html` open`}>
<summary>Numbers<span class="unseen">: ${table.caption}</span></summary>
<div class="scroll" tabindex="0" role="region" aria-label="${table.caption}">${tableMarkup(table)}</div>
</details>
`;
}

function tableMarkup({ caption, columns, rows }: Table): Markup {
  // Numbers are right-aligned, texts left-aligned.
  const aligned = columns.map((_, i) =>
    rows.every((row) => isNumber(row[i])) ? html` class="number"` : undefined,
  );
  const heads = columns.map((column, i) => html`<th scope="col"${aligned[i]}>${column}</th>`);
  const lines = rows.map(([first = '', ...cells]) => {
    const rest = cells.map(
      (cell, i) => html`<td${aligned[i + 1]}>${typeof cell === 'number' ? number(cell) : cell}</td>`,
    );
    return html`<tr><th scope="row">${first}</th>${rest}</tr>\n`;
  });
  return html`<table><caption>${caption}</caption>
<thead><tr>${heads}</tr></thead>
<tbody>
${lines}</tbody></table>`;
}

function isNumber(cell: Cell | undefined): boolean {
  return typeof cell === 'number' || /^(?:−?[\d.,]+%?|–)$/.test(cell ?? '');
}
