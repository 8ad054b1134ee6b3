/** The rows of the table with this caption in a report, without the header. */
export function tableIn(html: string, caption: string): string[][] {
  const [, body = ''] =
    new RegExp(`<caption>${caption}</caption>.*?<tbody>(.*?)</tbody>`, 's').exec(html) ?? [];
  return [...body.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row = '']) =>
    [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell = '']) => cell.replaceAll(',', '')),
  );
}

/** The rows of a table, by the heading of each column. */
export function rowsIn(html: string, caption: string): Record<string, string>[] {
  const [, head = ''] =
    new RegExp(`<caption>${caption}</caption>.*?<thead>(.*?)</thead>`, 's').exec(html) ?? [];
  const headings = [...head.matchAll(/<th[^>]*>(.*?)<\/th>/gs)].map(([, heading = '']) => heading);
  return tableIn(html, caption).map((row) =>
    Object.fromEntries(headings.map((heading, i) => [heading, `${row[i]}`])),
  );
}
