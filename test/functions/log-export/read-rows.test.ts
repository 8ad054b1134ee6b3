import { describe, expect, it } from 'vitest';
import { COLUMNS } from '../../../functions/log-export/columns.ts';
import type { LegRow } from '../../../functions/log-export/leg-row.ts';
import { LogExportError } from '../../../functions/log-export/log-export-error.ts';
import { readRows } from '../../../functions/log-export/read-rows.ts';
import { rowsIn, SCOPE } from './exported.ts';

/** What is read, and how. doubtful-exports.test.ts has what is refused, and what becomes of it. */

const HEADER = 'SessionId,CallId,SubAccountId,InitiatedAt,ConnectedAt,DisconnectedAt,SessionStatus';
const TIME = '2026-01-13T08:29:06Z';
const ROW = `s1,c1,acme,${TIME},${TIME},${TIME},BUSY`;
const READ = {
  SessionId: 's1',
  CallId: 'c1',
  SubAccountId: 'acme',
  InitiatedAt: '2026-01-13T08:29:06.000Z',
  ConnectedAt: '2026-01-13T08:29:06.000Z',
  DisconnectedAt: '2026-01-13T08:29:06.000Z',
  SessionStatus: 'BUSY',
};

/** Reads files with one row, and returns it. */
async function one(...files: (string | Uint8Array)[]): Promise<LegRow> {
  const [first, ...others] = await rowsIn(files);
  expect(others).toEqual([]);
  if (first?.outcome !== 'row') throw new Error(`expected a row, not ${JSON.stringify(first)}`);
  return first.row;
}

async function failureOf(...files: (string | Uint8Array)[]): Promise<LogExportError> {
  const error = await rowsIn(files).then(
    (rows) => rows,
    (reason: unknown) => reason,
  );
  if (error instanceof LogExportError) return error;
  throw new Error(`expected a LogExportError, not ${JSON.stringify(error)}`, { cause: error });
}

describe('an export', () => {
  it('with all documented columns has rows with them in this order, but no Content', async () => {
    const values: Readonly<Record<string, string>> = {
      ...{ SubAccountId: 'acme', UnitPrice: '0.0125', TotalPriceOfCall: '0.025', UnitPriceCurrency: 'USD' },
      ...{ InitiatedAt: TIME, ConnectedAt: TIME, DisconnectedAt: TIME },
    };
    const header = [...COLUMNS, 'Content'].toReversed();
    const read = await one(`${header.join()}\n${header.map((name) => values[name] ?? `of${name}`).join()}\n`);

    expect(COLUMNS).toHaveLength(34);
    expect(Object.keys(read)).toEqual(COLUMNS);
    expect(read.TotalPriceOfCall).toBe('0.025');
    expect(JSON.stringify(read)).not.toContain('ofContent');
  });

  it.each([
    ['no line end after the last row', `${HEADER}\n${ROW}`],
    ['a byte order mark', `\ufeff${HEADER}\n${ROW}\n`],
    ['a byte order mark before a quote', `\ufeff"${HEADER.replaceAll(',', '","')}"\n${ROW}\n`],
    ['blank lines', `\n\r\n${HEADER}\n\n${ROW}\n\n\r\n`],
    ['both line ends', `${HEADER}\r\n${ROW}\n`],
    ['quotes', `${HEADER}\n"${ROW.replaceAll(',', '","')}"\n`],
    ['spaces around the values', `${HEADER}\n${ROW}\n`.replaceAll(',', ' , ')],
    ['underscores, hyphens and spaces in its names', `${HEADER}\n`.replace(/Id|At/g, '_$&') + ROW],
    ['unknown columns', `New,${HEADER},Content\n1,${ROW},"{""text"":""a,\r\nb""}"\n`],
    ['an unknown column twice', `New,${HEADER},New\n1,${ROW},2\n`],
  ])('with %s is read, in chunks of any size', async (_, file) => {
    expect(await one(file)).toEqual(READ);
    for (const size of [1, 3, 7]) expect(await rowsIn([file], size)).toMatchObject([{ row: READ }]);
  });

  it('keeps delimiters, quotes and characters of any language in a value', async () => {
    const read = await one(`${HEADER},SourceOperator\n${ROW},"Ünï ""Tel"", 电信 Pte 📞"\n`);

    expect(read.SourceOperator).toBe('Ünï "Tel", 电信 Pte 📞');
  });

  it('of several files has the rows of all of them, in the order and with the delimiter of each', async () => {
    const reversed = (line: string) => line.split(',').toReversed().join(';');
    const rows = await rowsIn([
      `${HEADER}\n${ROW}`,
      '',
      `${reversed(HEADER)}\n${reversed(ROW.replace('c1', 'c2'))}\n`,
      `${reversed(ROW.replace('c1', 'c3'))}\n`,
    ]);

    expect(rows).toMatchObject([
      { file: 1, record: 2, row: READ },
      { file: 3, record: 2, row: { ...READ, CallId: 'c2' } },
      { file: 4, record: 1, row: { ...READ, CallId: 'c3' } },
    ]);
  });

  it.each([[['']], [['', '\n\r\n']], [['\ufeff']]])('of empty files is an error: %j', async (files) => {
    expect(await failureOf(...files)).toMatchObject({
      kind: 'not-csv',
      message: expect.stringContaining(`all of its files are empty (${files.length})`),
    });
  });

  it('has no rows if there are no files', async () => {
    expect(await rowsIn([])).toEqual([]);
  });
});

describe('a value', () => {
  it.each(['', '""', 'null', 'NULL', 'N/A', 'n/a', '-', 'none', 'None', 'NaN', '\\N', '  '])(
    'is missing if it is %j',
    async (value) => {
      const row = `s1,c1,acme,${TIME},${value},${value},${value},${value}`;

      expect(await one(`${HEADER},UnitPrice\n${row}\n`)).toEqual({
        SessionId: 's1',
        CallId: 'c1',
        SubAccountId: 'acme',
        InitiatedAt: READ.InitiatedAt,
      });
    },
  );

  it.each(['0', '0.0000', 'nil', '--', 'Nonesuch', '+6591178965', '0123', '1,5'])(
    'of another column is kept as it is: %s',
    async (value) => {
      expect(await one(`${HEADER},Product\n${ROW},"${value}"\n`)).toEqual({ ...READ, Product: value });
    },
  );

  it.each(['0', '0.0125', '-0.5', '.5', '12.', '1.25E-05'])('of money can be %s', async (price) => {
    expect(await one(`${HEADER},TotalPriceOfCall\n${ROW},${price}\n`)).toMatchObject({
      TotalPriceOfCall: price,
    });
  });

  it.each([
    ['Direction', 'inbound', 'INBOUND'],
    ['Direction', 'Sideways', 'Sideways'],
    ['CallType', 'voip', 'VOIP'],
    ['CallStatus', 'No Answer', 'NO_ANSWER'],
    ['CallStatus', 'cancelled', 'CANCELED'],
    ['CallStatus', 'Postponed', 'Postponed'],
  ])('of %s is spelled as in a summary: %s', async (column, value, expected) => {
    expect(await one(`${HEADER},${column}\n${ROW},${value}\n`)).toMatchObject({ [column]: expected });
  });

  it('of a vocabulary is read right, however many there are', async () => {
    const statuses = Array.from({ length: 300 }, (_, i) => `status ${i % 150}`);
    const rows = await rowsIn([
      `${HEADER}\n${statuses.map((status) => ROW.replace('BUSY', status)).join('\n')}\n`,
    ]);

    expect(rows.map((read) => (read.outcome === 'row' ? read.row.SessionStatus : ''))).toEqual(statuses);
  });

  it.each([
    ['2026-01-13T08:29:06Z', '2026-01-13T08:29:06.000Z'],
    ['2026-01-13T08:29:06.1234567Z', '2026-01-13T08:29:06.123Z'],
    ['2026-01-13T16:29:06+08:00', '2026-01-13T08:29:06.000Z'],
    ['2026-01-13T08:29:06', '2026-01-13T08:29:06.000Z'],
    ['2026-01-13 08:29:06', '2026-01-13T08:29:06.000Z'],
    ['"2026-01-13 08:29:06,5"', '2026-01-13T08:29:06.500Z'],
    ['2026-01-13 08:29:06 UTC', '2026-01-13T08:29:06.000Z'],
    ['1768292946', '2026-01-13T08:29:06.000Z'],
    ['1768292946123', '2026-01-13T08:29:06.123Z'],
  ])('of a time is converted to UTC: %s', async (time, expected) => {
    expect(await one(`${HEADER}\ns,c,acme,${time},,,BUSY\n`)).toMatchObject({ InitiatedAt: expected });
  });

  it.each(['0001-01-01T00:00:00', '1969-12-31T23:59:59.999Z', '1900-01-01 00:00:00', '9999-12-31T23:59:59Z'])(
    'of a time is missing if it is the placeholder %s',
    async (time) => {
      expect(await one(`${HEADER}\ns1,c1,acme,${TIME},${TIME},${time},BUSY\n`)).not.toHaveProperty(
        'DisconnectedAt',
      );
    },
  );
});

describe('a file', () => {
  it.each([
    ['within a quoted value', `${HEADER}\n${ROW}\ns2,"c`],
    ['within the first value of a record', `${HEADER}\n${ROW}\ns`],
    ['within a record', `${HEADER}\n${ROW}\ns2,c2,acme,2026-01`],
    ['after a quoted value', `${HEADER}\n"s1","c1"`],
    ['within a line end', `${HEADER}\r\n${ROW}\r`],
  ])('that ends %s is cut off', async (_, file) => {
    expect((await failureOf(file)).kind).toBe('cut-off');
    expect((await failureOf(`${HEADER}\n${ROW}\n`, file)).kind).toBe('cut-off');
  });

  it.each([
    ['ISO 8859-1', Buffer.from(`${HEADER}\n${ROW}é\n`, 'latin1')],
    ['UTF-16', Buffer.from(`\ufeff${HEADER}\n`, 'utf16le')],
    ['UTF-8 that ends within a character', Buffer.from(`${HEADER}\n${ROW}é`).subarray(0, -1)],
    ['binary data', Buffer.from([0x89, 0x50, 0x4e, 0x47])],
  ])('in %s is rejected', async (_, file) => {
    expect((await failureOf(file)).kind).toBe('not-utf8');
  });

  it('that is a zip archive is rejected', async () => {
    expect(await failureOf(Buffer.from('PK\u0003\u0004\u0014\u0000'))).toMatchObject({
      kind: 'not-csv',
      message: expect.stringContaining('zip archive'),
    });
  });

  it.each([
    ['a long value', `${HEADER}\n${ROW}${'x'.repeat(1_100_000)}\n`],
    ['a long quoted value', `${HEADER}\n"${'x\n'.repeat(600_000)}",c\n`],
    ['empty fields', `${HEADER}\n${','.repeat(1_100_000)}`],
    ['a long first line', 'x'.repeat(1_100_000)],
  ])('with more than a megabyte without a record, because of %s, is rejected', async (_, file) => {
    expect(await failureOf(file)).toMatchObject({
      kind: 'not-csv',
      message: expect.stringContaining('a record has more than 1,000,000 characters'),
    });
  });

  it('is read in constant memory, and closed when the consumer stops', async () => {
    let chunks = 0;
    let isOpen = true;
    async function* endless() {
      try {
        yield Buffer.from(`${HEADER}\n`);
        for (;;) {
          chunks++;
          yield Buffer.from(`${ROW}\n`.repeat(1_000));
        }
      } finally {
        isOpen = false;
      }
    }
    const rows = readRows([endless()], SCOPE);
    for (let i = 0; i < 3; i++) await rows.next();
    await rows.return(undefined);

    expect([chunks, isOpen]).toEqual([2, false]);
  });
});

it('no error shows a value, a link or a number of a file', async () => {
  const secret = 'https://x.example/T0KEN?a=+6591178965';
  const files = [
    `${secret},SessionId\n`,
    `"${secret}`,
    `${HEADER}\n"${secret}`,
    `${HEADER}\n${ROW},${secret}`,
    `${HEADER}\n${secret},"${secret}`,
    `${HEADER}\ns,${secret}`,
    `${HEADER}\n"${secret}\n"${secret}",a\n`,
    `${HEADER}\n${secret}${'x'.repeat(1_100_000)}\n`,
    Buffer.from(`${HEADER}\n${secret}\u00e9\n`, 'latin1'),
  ];
  let failures = 0;
  for (const file of files) {
    const shown = await rowsIn([file]).then(JSON.stringify, (error) => {
      failures++;
      return `${error.message} ${error.stack} ${JSON.stringify(error)} ${error.cause}`;
    });
    expect(shown).not.toMatch(/T0KEN|6591178965/);
  }
  expect(failures).toBeGreaterThan(6);
});
