import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { COLUMNS, type Column } from '../../../functions/log-export/columns.ts';
import { readRows } from '../../../functions/log-export/read-rows.ts';
import { inChunks, SCOPE } from './exported.ts';

const numRuns = Number(process.env['PROPERTY_RUNS'] ?? 100);

const NOTHING = ['', 'null', 'NULL', 'N/A', 'n/a', '-', 'None', '\\N'];
const REQUIRED = [
  'SessionId',
  'CallId',
  'SubAccountId',
  'InitiatedAt',
  'ConnectedAt',
  'DisconnectedAt',
  'SessionStatus',
] as const;
const OTHERS = COLUMNS.filter((column) => !REQUIRED.some((required) => required === column));

const something = (value: string) => value !== '' && !/^(null|none|nan|n\/a|-|\\n)$/i.test(value);

const id = fc.stringMatching(/^[!-~]{1,40}$/).filter(something);

/** Text without line ends, which no documented value has. */
const text = fc
  .oneof(
    fc.string({ unit: 'grapheme', maxLength: 12 }),
    fc.string({
      unit: fc.constantFrom('"', ',', ';', '\t', ' ', 'a', 'é', '📞', "'"),
      maxLength: 8,
    }),
  )
  .filter((value) => value.isWellFormed() && value === value.trim() && something(value))
  .filter((value) => !/[^\P{Cc}\t]/u.test(value));

const TIME_FORMS: ((utc: string) => string)[] = [
  (utc) => utc,
  (utc) => utc.replace('Z', ''),
  (utc) => utc.replace('Z', '+00:00'),
  (utc) => utc.replace('T', ' ').replace('Z', ''),
  (utc) => utc.replace('T', ' ').replace('.', ','),
  (utc) => utc.replace('Z', '0000Z'),
  (utc) => String(Date.parse(utc)),
];
const time = fc
  .date({ min: new Date('2002-01-01'), max: new Date('2199-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString());

const spelled = (word: string) =>
  [word, word.toLowerCase(), word.replaceAll('_', ' '), word.replaceAll('_', '-')] as const;

/** A value, and its spelling in the file. */
interface Cell {
  value: string | undefined;
  written: string;
}

function cellOf(column: Column): fc.Arbitrary<Cell> {
  if (column === 'SessionId' || column === 'CallId') return id.map((value) => ({ value, written: value }));
  if (column === 'SubAccountId') return fc.constant({ value: 'acme', written: 'acme' });
  const nothing = fc.constantFrom(...NOTHING).map((written): Cell => ({ value: undefined, written }));
  const words = WORDS[column];
  const some = /At$/.test(column)
    ? fc
        .tuple(time, fc.constantFrom(...TIME_FORMS))
        .map(([value, form]): Cell => ({ value, written: form(value) }))
    : words
      ? fc
          .constantFrom(...words)
          .chain((value) => fc.constantFrom(...spelled(value)).map((written): Cell => ({ value, written })))
      : (MONEY[column] ?? text).map((value): Cell => ({ value, written: value }));
  return column === 'InitiatedAt' ? some : fc.oneof({ weight: 3, arbitrary: some }, nothing);
}

const MONEY: Partial<Record<Column, fc.Arbitrary<string>>> = {
  UnitPrice: fc.constantFrom('0', '0.0125', '-1.5'),
  TotalPriceOfCall: fc.constantFrom('0.00', '12.5', '1E-05'),
  UnitPriceCurrency: fc.constantFrom('USD', 'sgd'),
};

const WORDS: Partial<Record<Column, readonly string[]>> = {
  Direction: ['INBOUND', 'OUTBOUND'],
  CallType: ['PSTN', 'VOIP'],
  SessionStatus: ['COMPLETED', 'NO_ANSWER', 'COMPLETED_UNSUB_ERROR'],
  CallStatus: ['COMPLETED', 'NO_ANSWER', 'BUSY'],
};

const leg = fc
  .tuple(...COLUMNS.map((column) => cellOf(column).map((cell) => [column, cell] as const)))
  .map((cells) => new Map<string, Cell>(cells));
type Leg = Map<string, Cell>;

const NAME_FORMS: ((name: string) => string)[] = [
  (name) => name,
  (name) => name.toLowerCase(),
  (name) => name.toUpperCase(),
  (name) => name.replace(/(?<=[a-z])(?=[A-Z])/g, '_'),
  (name) => name.replace(/(?<=[a-z])(?=[A-Z])/g, ' '),
];

/** The form of one file. Its layout takes effect only if it has a header. */
const form = fc.record({
  hasHeader: fc.boolean(),
  layout: fc.record({
    delimiter: fc.constantFrom(',', ';', '\t'),
    columns: fc.subarray(OTHERS).chain((others) =>
      fc.shuffledSubarray([...REQUIRED, ...others, 'Content', 'New'], {
        minLength: others.length + REQUIRED.length + 2,
      }),
    ),
    nameForm: fc.constantFrom(...NAME_FORMS),
  }),
  lineEnd: fc.constantFrom('\n', '\r\n'),
  endsWithLineEnd: fc.boolean(),
  hasByteOrderMark: fc.boolean(),
  quotesAll: fc.boolean(),
  chunkSize: fc.integer({ min: 1, max: 200 }),
});

const file = fc.record({ legs: fc.array(leg, { maxLength: 4 }), form });

type Form = typeof form extends fc.Arbitrary<infer T> ? T : never;
type Layout = Form['layout'];

function csvOf(legs: readonly Leg[], layout: Layout, hasHeader: boolean, form: Form): string {
  const field = (value: string) =>
    form.quotesAll || /["\r\n]/.test(value) || value.includes(layout.delimiter)
      ? `"${value.replaceAll('"', '""')}"`
      : value;
  const line = (values: string[]) => values.map(field).join(layout.delimiter);
  const lines = [
    ...(hasHeader ? [line(layout.columns.map(layout.nameForm))] : []),
    ...legs.map((leg) => line(layout.columns.map((column) => leg.get(column)?.written ?? SPOKEN))),
  ];
  const end = form.endsWithLineEnd && lines.length > 0 ? form.lineEnd : '';
  return `${form.hasByteOrderMark ? '\ufeff' : ''}${lines.join(form.lineEnd)}${end}`;
}

/** What is in the columns `Content` and `New`. */
const SPOKEN = '[{"action":"say","text":"Hello,\r\nthere; ""\t"}]';

/** The row that should be read, as JSON, which also shows the order of its keys. */
function expectedRow(leg: Leg, { columns }: Layout): string {
  const entries = COLUMNS.filter((column) => columns.includes(column)).flatMap((column) => {
    const value = leg.get(column)?.value;
    return value === undefined ? [] : [[column, value]];
  });
  return JSON.stringify(Object.fromEntries(entries));
}

/**
 * The accepted forms (functions/log-export/README.md): each delimiter, with and without quotes, byte order mark and header,
 * both line ends, any order of the columns, and the accepted spellings of names, times, vocabularies and
 * missing values. The rows are divided into up to four files, which arrive in chunks of any size.
 */
it('the same rows are read from each accepted form of their files', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(file, { minLength: 1, maxLength: 4 }), async (files) => {
      let layout = files[0]?.form.layout;
      let isFirst = true;
      const expected: string[] = [];
      const written = files.map(({ legs, form }) => {
        const hasHeader = isFirst || form.hasHeader;
        isFirst = false;
        if (hasHeader || !layout) layout = form.layout;
        for (const leg of legs) expected.push(expectedRow(leg, layout));
        const csv = csvOf(legs, layout, hasHeader, form);
        return inChunks(csv, form.chunkSize);
      });

      const actual: string[] = [];
      for await (const batch of readRows(written, SCOPE))
        for (const read of batch) actual.push(JSON.stringify(read.outcome === 'row' ? read.row : read));
      expect(actual).toEqual(expected);
    }),
    { numRuns },
  );
});
