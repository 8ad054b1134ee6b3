import { describe, expect, it } from 'vitest';
import { COLUMNS } from '../../../functions/log-export/columns.ts';
import { LogExportError } from '../../../functions/log-export/log-export-error.ts';
import { type ReadRow, readRows } from '../../../functions/log-export/read-rows.ts';
import { inChunks } from './exported.ts';

const ACCOUNT = '8x8_test';
const HEADER = 'SessionId,CallId,SubAccountId,InitiatedAt,SessionStatus';
const ROW = `s1,c1,${ACCOUNT},2026-01-13T08:29:06Z,BUSY`;
const READ = {
  SessionId: 's1',
  CallId: 'c1',
  SubAccountId: ACCOUNT,
  InitiatedAt: '2026-01-13T08:29:06.000Z',
  SessionStatus: 'BUSY',
};

async function read(...files: (string | Uint8Array)[]): Promise<ReadRow[]> {
  const rows: ReadRow[] = [];
  for await (const row of readRows(
    files.map((file) => inChunks(file)),
    ACCOUNT,
  ))
    rows.push(row);
  return rows;
}

const row = (values: object) => ({ outcome: 'row', row: values });

/** Reads files with one row, and returns it. */
async function one(...files: (string | Uint8Array)[]) {
  const [first, ...others] = await read(...files);
  expect(others).toEqual([]);
  if (first?.outcome !== 'row') throw new Error(`expected a row, not ${JSON.stringify(first)}`);
  return first.row;
}

async function failureOf(...files: (string | Uint8Array)[]): Promise<LogExportError> {
  const error = await read(...files).then(
    (rows) => rows,
    (reason: unknown) => reason,
  );
  if (error instanceof LogExportError) return error;
  throw new Error(`expected a LogExportError, not ${JSON.stringify(error)}`, { cause: error });
}

describe('an export', () => {
  it('with all documented columns has rows with them in this order, but no Content', async () => {
    const header = [...COLUMNS, 'Content'].toReversed();
    const values = header.map((name) =>
      name === 'SubAccountId' ? ACCOUNT : /At$/.test(name) ? '2026-01-13T08:29:06Z' : `of${name}`,
    );
    const read = await one(`${header.join()}\n${values.join()}\n`);

    expect(COLUMNS).toHaveLength(34);
    expect(Object.keys(read)).toEqual(COLUMNS);
    expect(read.TotalPriceOfCall).toBe('ofTotalPriceOfCall');
    expect(JSON.stringify(read)).not.toContain('ofContent');
  });

  it.each([
    ['LF', `${HEADER}\n${ROW}\n`],
    ['CRLF', `${HEADER}\r\n${ROW}\r\n`],
    ['both', `${HEADER}\r\n${ROW}\n`],
    ['no line end after the last row', `${HEADER}\n${ROW}`],
    ['a byte order mark', `\ufeff${HEADER}\n${ROW}\n`],
    ['a byte order mark before a quote', `\ufeff"${HEADER.replaceAll(',', '","')}"\n${ROW}\n`],
    ['blank lines', `\n\r\n${HEADER}\n\n${ROW}\n\n\r\n`],
    ['quotes', `${HEADER}\n"${ROW.replaceAll(',', '","')}"\n`],
    ['semicolons', `${HEADER}\n${ROW}\n`.replaceAll(',', ';')],
    ['tabs', `${HEADER}\n${ROW}\n`.replaceAll(',', '\t')],
    ['spaces around the values', `${HEADER}\n${ROW}\n`.replaceAll(',', ' , ')],
    ['other cases', `${HEADER.toLowerCase()}\n${ROW}\n`],
    ['underscores', `session_id,CALL_ID,sub-account-id,Initiated At,session_status\n${ROW}\n`],
    ['unknown columns', `New,${HEADER},Content\n1,${ROW},"{""text"":""a,\r\nb""}"\n`],
    ['an unknown column twice', `New,${HEADER},New\n1,${ROW},2\n`],
  ])('with %s is read', async (_, file) => {
    expect(await one(file)).toEqual(READ);
    for (const size of [1, 2, 3, 7]) {
      const rows: ReadRow[] = [];
      for await (const row of readRows([inChunks(file, size)], ACCOUNT)) rows.push(row);
      expect(rows).toEqual([row(READ)]);
    }
  });

  it('keeps line ends, delimiters, quotes and characters of any language in a value', async () => {
    const read = await one(`${HEADER},SourceOperator\n${ROW},"Ünï ""Tel"", 电信\r\nPte 📞"\n`);

    expect(read.SourceOperator).toBe('Ünï "Tel", 电信\r\nPte 📞');
  });

  it.each([
    ['within', 'O"Neil', 'O"Neil'],
    ['after', '5"', '5"'],
    ['after quotes', '"a"b', '"a"b'],
  ])('keeps a quote that is not doubled %s a value', async (_, value, expected) => {
    expect(await one(`${HEADER},Product\n${ROW},${value}\n`)).toEqual({ ...READ, Product: expected });
  });

  it('of several files has the rows of all of them', async () => {
    const second = ROW.replace('c1', 'c2');
    const both = [row(READ), row({ ...READ, CallId: 'c2' })];

    expect(await read(`${HEADER}\n${ROW}\n`, `${second}\n`)).toEqual(both);
    expect(await read(`${HEADER}\n${ROW}\n`, `${HEADER}\n${second}\n`)).toEqual(both);
    expect(await read(`${HEADER}\n${ROW}`, '', `\ufeff${second}`)).toEqual(both);
    expect(await read('', `${HEADER}\n`, `${ROW}\n`, HEADER, `${second}\n`)).toEqual(both);
  });

  it('may have another order and another delimiter in each file with a header', async () => {
    const rows = await read(
      `${HEADER}\n${ROW}\n`,
      'sessionstatus;initiatedat;callid;sessionid\nBUSY;2026-01-13T08:29:06Z;c2;s1\n',
      'BUSY;2026-01-13T08:29:06Z;c3;s1\n',
    );
    const { SubAccountId, ...others } = READ;

    expect(rows).toEqual([row(READ), row({ ...others, CallId: 'c2' }), row({ ...others, CallId: 'c3' })]);
    expect(SubAccountId).toBe(ACCOUNT);
  });

  it('opens each file when those before it have been read', async () => {
    const events: string[] = [];
    async function* file(name: string, text: string) {
      events.push(`open ${name}`);
      yield Buffer.from(text);
      events.push(`end ${name}`);
    }
    for await (const read of readRows([file('a', `${HEADER}\n${ROW}\n`), file('b', `${ROW}\n`)], ACCOUNT))
      events.push(read.outcome);

    expect(events).toEqual(['open a', 'end a', 'row', 'open b', 'end b', 'row']);
  });

  it('closes its file when the consumer stops, or when it cannot be read', async () => {
    let open = 0;
    async function* file(text: string) {
      open++;
      try {
        for (;;) yield Buffer.from(text);
      } finally {
        open--;
      }
    }
    for await (const _ of readRows([file(`${HEADER}\n${ROW}\n`)], ACCOUNT)) break;
    await expect.poll(() => open).toBe(0);
    for (const text of ['no header\n', `${HEADER}\n"`, Buffer.from([0xff]).toString('latin1')]) {
      await expect(readRows([file(text)], ACCOUNT).next()).rejects.toThrow(LogExportError);
      await expect.poll(() => open).toBe(0);
    }
  });

  it('is read only as fast as its rows are consumed', async () => {
    let chunks = 0;
    async function* endless() {
      yield Buffer.from(`${HEADER}\n`);
      for (;;) {
        chunks++;
        yield Buffer.from(`${ROW}\n`.repeat(1_000));
      }
    }
    const rows = readRows([endless()], ACCOUNT);
    for (let i = 0; i < 1_500; i++) await rows.next();
    await new Promise(setImmediate);
    await rows.return(undefined);

    expect(chunks).toBeLessThan(10);
  });

  it('passes on the error of a download', async () => {
    const error = new LogExportError('stalled', 'Stalled');
    async function* stalled(text: string) {
      yield Buffer.from(text);
      throw error;
    }

    for (const text of ['Sess', `${HEADER}\n${ROW}\n`]) {
      const rows = readRows([stalled(text)], ACCOUNT);
      const all = (async () => {
        for await (const _ of rows);
      })();
      await expect(all).rejects.toBe(error);
    }
  });
});

describe('a value', () => {
  it.each(['', '""', 'null', 'NULL', '"NULL"', 'N/A', 'n/a', '-', 'none', 'None', 'NaN', '\\N', '  '])(
    'is missing if it is %j',
    async (value) => {
      const read = await one(`${HEADER},MOS,ConnectedAt\n${ROW.replace('BUSY', value)},${value},${value}\n`);
      const { SessionStatus, ...others } = READ;

      expect(read).toEqual(others);
      expect(SessionStatus).toBe('BUSY');
    },
  );

  it.each(['0', '0.0000', 'nil', '--', 'Nonesuch', '00', '+6591178965', '0123', '1,5'])(
    'is kept as it is: %s',
    async (value) => {
      expect(await one(`${HEADER},Product\n${ROW},"${value}"\n`)).toEqual({ ...READ, Product: value });
    },
  );

  it.each([
    ['Direction', 'inbound', 'INBOUND'],
    ['Direction', 'Sideways', 'Sideways'],
    ['CallType', 'voip', 'VOIP'],
    ['CallType', 'SIP', 'SIP'],
    ['CallStatus', 'No Answer', 'NO_ANSWER'],
    ['CallStatus', 'cancelled', 'CANCELED'],
    ['SessionStatus', 'completed-unsubscribed', 'COMPLETED_UNSUBSCRIBED'],
    ['SessionStatus', 'Postponed', 'Postponed'],
    ['SessionStatus', 'x'.repeat(129), undefined],
  ])('of %s is spelled as in a summary: %s', async (column, value, expected) => {
    const header = 'SessionId,CallId,InitiatedAt,SessionStatus,Direction,CallType,CallStatus'.split(',');
    const values = header.map((name) => (name === column ? value : /Id$/.test(name) ? 'x' : '2026-01-13'));
    values[2] = '2026-01-13T08:29:06Z';

    expect(await one(`${header.join()}\n${values.join()}\n`)).toHaveProperty(
      expected === undefined ? 'SessionId' : column,
      expected ?? 'x',
    );
  });

  it('of a vocabulary is read right, however many there are', async () => {
    const many = Array.from({ length: 500 }, (_, i) => ROW.replace('BUSY', `status ${i % 250}`));
    const rows = await read(`${HEADER}\n${many.join('\n')}\n`);

    expect(rows).toEqual(many.map((_, i) => row({ ...READ, SessionStatus: `status ${i % 250}` })));
  });

  it.each([
    ['2026-01-13T08:29:06Z', '2026-01-13T08:29:06.000Z'],
    ['2026-01-13T08:29:06.1234567Z', '2026-01-13T08:29:06.123Z'],
    ['2026-01-13T16:29:06+08:00', '2026-01-13T08:29:06.000Z'],
    ['2026-01-13T08:29:06', '2026-01-13T08:29:06.000Z'],
    ['2026-01-13 08:29:06', '2026-01-13T08:29:06.000Z'],
    ['2026-01-13 08:29:06.5', '2026-01-13T08:29:06.500Z'],
    ['"2026-01-13 08:29:06,5"', '2026-01-13T08:29:06.500Z'],
    ['2026-01-13 08:29:06 UTC', '2026-01-13T08:29:06.000Z'],
    ['1768292946', '2026-01-13T08:29:06.000Z'],
    ['1768292946123', '2026-01-13T08:29:06.123Z'],
  ])('of a time is converted to UTC: %s', async (time, expected) => {
    expect((await one(`${HEADER}\ns,c,${ACCOUNT},${time},BUSY\n`)).InitiatedAt).toBe(expected);
  });

  it.each([
    'soon',
    '13/01/2026 08:29',
    '2026-02-30T00:00:00Z',
    '0001-01-01T00:00:00',
    '0001-01-01T00:00:00Z',
    '1969-12-31T23:59:59.999Z',
    '-1',
    'null',
  ])('of a time that is none is left out: %s', async (time) => {
    const header = `${HEADER},ConnectedAt,DisconnectedAt`;

    expect(await one(`${header}\n${ROW},${time},${time}\n`)).toEqual(READ);
    expect(await one(`${header}\ns1,c1,${ACCOUNT},${time},BUSY,${time},2026-01-13T08:29:06Z\n`)).toEqual({
      ...READ,
      DisconnectedAt: READ.InitiatedAt,
    });
    expect(
      await one(`${header}\ns1,c1,${ACCOUNT},${time},BUSY,2026-01-13T08:29:06Z,2026-01-13T09:00:00Z\n`),
    ).toMatchObject({ InitiatedAt: READ.InitiatedAt });
    expect(await read(`${header}\ns1,c1,${ACCOUNT},${time},BUSY,${time},${time}\n`)).toEqual([
      { outcome: 'refused', file: 1, row: 2, reason: 'it has no time that can be read' },
    ]);
  });
});

it('a row whose InitiatedAt is another of its times has it in its place', async () => {
  const read = await one(
    `${HEADER},ConnectedAt,DisconnectedAt\ns1,c1,${ACCOUNT},,BUSY,,2026-01-13T08:29:06Z\n`,
  );

  expect(Object.keys(read)).toEqual([
    'SessionId',
    'CallId',
    'SubAccountId',
    'InitiatedAt',
    'DisconnectedAt',
    'SessionStatus',
  ]);
});

describe('a record', () => {
  it.each([
    ['too few fields', `s1,c1,${ACCOUNT}`, 'it has 3 fields; expected 5, as in the header'],
    ['too many fields', `${ROW},6591178965`, 'it has 6 fields; expected 5, as in the header'],
    ['no SessionId', ROW.replace('s1', ''), 'it has no SessionId'],
    ['null as its CallId', ROW.replace('c1', 'NULL'), 'it has no CallId'],
    [
      'a SessionId with a space',
      ROW.replace('s1', 's 1'),
      'its SessionId is not 1 to 128 printable ASCII characters',
    ],
    [
      'a CallId in another script',
      ROW.replace('c1', 'ç'),
      'its CallId is not 1 to 128 printable ASCII characters',
    ],
    [
      'a long SessionId',
      ROW.replace('s1', 's'.repeat(129)),
      'its SessionId is not 1 to 128 printable ASCII characters',
    ],
    ['another SubAccountId', ROW.replace(ACCOUNT, '8X8_TEST'), 'its SubAccountId is not the one asked for'],
    ['no time', ROW.replace('2026', '26'), 'it has no time that can be read'],
  ])('with %s is refused without its content', async (_, record, reason) => {
    expect(await read(`${HEADER}\n${ROW}\n${record}\n${ROW}\n`, `${record}\n`)).toEqual([
      row(READ),
      { outcome: 'refused', file: 1, row: 3, reason },
      row(READ),
      { outcome: 'refused', file: 2, row: 1, reason },
    ]);
  });

  it('with an id of 128 characters is read, and one without a SubAccountId', async () => {
    const id = '!'.repeat(127).concat('~');
    const { SubAccountId, ...others } = READ;

    expect(await one(`${HEADER}\n${ROW.replace('s1', id)}\n`)).toEqual({ ...READ, SessionId: id });
    expect(await one(`${HEADER}\n${ROW.replace(ACCOUNT, '-')}\n`)).toEqual(others);
    expect(SubAccountId).toBe(ACCOUNT);
  });
});

describe('a header', () => {
  it.each([
    ['a missing column', 'SessionId,CallId,InitiatedAt', 'SessionStatus', 'SessionId, CallId, InitiatedAt'],
    [
      'other names',
      'session,leg,Start Time',
      'SessionId, CallId, InitiatedAt, SessionStatus',
      'session, leg, Start Time',
    ],
    ['semicolons', 'SessionId;CallId', 'InitiatedAt, SessionStatus', 'SessionId, CallId'],
    [
      'a row in its place',
      's1,+6591178965,2026-01-13T08:29:06Z,https://x.example/T0KEN,{""a"":1},COMPLETED',
      'SessionId, CallId, InitiatedAt, SessionStatus',
      '6 fields that cannot be names',
    ],
    ['HTML', '<html><body>', 'SessionId, CallId, InitiatedAt, SessionStatus', '1 field that cannot be names'],
    [
      'JSON',
      '{"code":4018}',
      'SessionId, CallId, InitiatedAt, SessionStatus',
      '1 field that cannot be names',
    ],
  ])('with %s is an error that names the columns', async (_, header, missing, found) => {
    expect(await failureOf(`${header}\n${ROW}\n`)).toMatchObject({
      kind: 'wrong-header',
      message: `A file of the log export does not begin with a header that can be read: it lacks ${missing}. Found ${found}. Ask 8x8 whether the columns of the log export have changed.`,
    });
  });

  it('with thousands of columns is shown shortened', async () => {
    const { message } = await failureOf(`${Array(5_000).fill('New column').join()}\n`);

    expect(message).toContain('New column, ...');
    expect(message.length).toBeLessThan(1_000);
  });

  it.each([
    [`${HEADER},call_id\n${ROW},c2\n`, 'CallId'],
    [`session id,${HEADER}\ns2,${ROW}\n`, 'SessionId'],
    [`${HEADER},MOS,mos\n${ROW},1,2\n`, 'MOS'],
  ])('with a column twice is an error, because either could be meant: %j', async (file, column) => {
    expect(await failureOf(file)).toMatchObject({
      kind: 'wrong-header',
      message: expect.stringContaining(`has the column ${column} more than once`),
    });
  });

  it.each([[['']], [['', '']], [['\n\r\n']], [['\ufeff']]])(
    'missing, because all files are empty, is an error: %j',
    async (files) => {
      expect(await failureOf(...files)).toMatchObject({
        kind: 'not-csv',
        message: expect.stringContaining(`all of its files are empty (${files.length})`),
      });
    },
  );
});

describe('a file', () => {
  it.each([
    ['within a quoted value', `${HEADER}\n${ROW}\ns2,"c`],
    ['within the first value of a record', `${HEADER}\n${ROW}\ns`],
    ['within a record', `${HEADER}\n${ROW}\ns2,c2,${ACCOUNT},2026-01`],
    ['after a quoted value', `${HEADER}\n"s1","c1"`],
    ['within a line end', `${HEADER}\r\n${ROW}\r`],
    ['within a line end after a quote', `${HEADER}\r\n"${ROW.replaceAll(',', '","')}"\r`],
    ['within a character', Buffer.from(`${HEADER}\n${ROW}é`).subarray(0, -1)],
  ])('that ends %s is cut off', async (_, file) => {
    expect((await failureOf(file)).kind).toBe('cut-off');
    expect((await failureOf(`${HEADER}\n${ROW}\n`, file)).kind).toBe('cut-off');
  });

  it('yields the rows before the place where it is cut off', async () => {
    const rows = readRows([inChunks(`${HEADER}\n${ROW}\n${ROW}\ns2`)], ACCOUNT);

    expect((await rows.next()).value).toEqual(row(READ));
    expect((await rows.next()).value).toEqual(row(READ));
    await expect(rows.next()).rejects.toThrow(
      'File 1 of the log export ends within record 4: it is cut off.',
    );
  });

  it.each([
    ['ISO 8859-1', Buffer.from(`${HEADER}\n${ROW}é\n`, 'latin1')],
    ['UTF-16', Buffer.from(`\ufeff${HEADER}\n`, 'utf16le')],
    ['binary data', Buffer.from([0x89, 0x50, 0x4e, 0x47])],
  ])('in %s is rejected', async (_, file) => {
    expect((await failureOf(file)).kind).toBe('not-utf8');
  });

  it.each([
    ['a long value', `${HEADER}\n${ROW}${'x'.repeat(1_100_000)}\n`],
    ['a long quoted value', `${HEADER}\n"${'x\n'.repeat(600_000)}",c\n`],
    ['many fields', `${HEADER}\n${'12345678,'.repeat(200_000)}\n`],
    ['empty fields', `${HEADER}\n${','.repeat(3_000_000)}`],
    ['blank lines', `${HEADER}\n${'\n'.repeat(3_000_000)}${ROW}\n`],
    ['blank lines at the beginning', `${'\n'.repeat(3_000_000)}${HEADER}\n${ROW}\n`],
    ['the first line', 'x'.repeat(1_100_000)],
    ['the first line of empty fields', ','.repeat(3_000_000)],
  ])('with more than a megabyte without a record, because of %s, is rejected', async (_, file) => {
    expect(await failureOf(file)).toMatchObject({
      kind: 'not-csv',
      message: expect.stringContaining('a record has more than 1 MB'),
    });
  });

  it('with a quote that swallows records is rejected', async () => {
    const file = `${HEADER},Product\n${ROW},"IVR\n${ROW},"IVR"\n${ROW},"IVR"\n`;

    expect(await failureOf(file)).toMatchObject({
      kind: 'not-csv',
      message: expect.stringContaining('in record 2, the quotes do not match'),
    });
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
    const shown = await read(file).then(JSON.stringify, (error) => {
      failures++;
      return `${error.message} ${error.stack} ${JSON.stringify(error)} ${error.cause}`;
    });
    expect(shown).not.toMatch(/T0KEN|6591178965/);
  }
  expect(failures).toBeGreaterThan(6);
});
