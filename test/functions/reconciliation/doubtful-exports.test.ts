import { describe, expect, it } from 'vitest';
import { Simulation } from './simulation.ts';

/**
 * Nobody has seen 8x8's log export. What cannot be read for certain is refused and told, never guessed: no record is made
 * of it. Each case is an export of the day before, and what has to become of it.
 */

const NAMES =
  'SessionId,CallId,AccountId,SubAccountId,Direction,SourceOperator,SourceEndpoint,DestinationEndpoint,InitiatedAt,ConnectedAt,DisconnectedAt,DurationInSec,UnitPriceCurrency,TotalPriceOfCall,CallType,SessionStatus,CallStatus,MOS,Content'.split(
    ',',
  );
const VALUES: Readonly<Record<string, string>> = {
  AccountId: 'a',
  SubAccountId: 'acme',
  Direction: 'OUTBOUND',
  SourceOperator: 'Tel',
  SourceEndpoint: '+6500000001',
  DestinationEndpoint: '+6500000002',
  InitiatedAt: '2026-11-24T08:00:00Z',
  ConnectedAt: '2026-11-24T08:00:05Z',
  DisconnectedAt: '2026-11-24T08:00:15Z',
  DurationInSec: '10',
  UnitPriceCurrency: 'USD',
  TotalPriceOfCall: '0.012',
  CallType: 'PSTN',
  SessionStatus: 'BUSY',
  CallStatus: 'BUSY',
  MOS: '4.1',
  Content: 'hello',
};

const HEADER = NAMES.join();

/** A row of a session of one leg, as it is written in a file. */
function row(SessionId: string, values: Readonly<Record<string, string>> = {}, names = NAMES): string {
  const all: Readonly<Record<string, string>> = { ...VALUES, SessionId, CallId: `${SessionId}-1`, ...values };
  return names.map((name) => all[name] ?? '').join();
}

const file = (...lines: string[]) => `${lines.join('\n')}\n`;

/** Session and call swapped, and one name that is not documented. */
const SWAPPED_NAMES = [...NAMES];
[SWAPPED_NAMES[0], SWAPPED_NAMES[1]] = ['CallId', 'SessionId'];
[SWAPPED_NAMES[15], SWAPPED_NAMES[16]] = ['CallStatus', 'SessionStatus'];
const SWAPPED_ROW = row('s2', {}, SWAPPED_NAMES);
const SWAPPED_HEADER = SWAPPED_NAMES.join();
const RENAMED_HEADER = SWAPPED_HEADER.replace('SessionStatus', 'Status');

/** The function after the exports of 24 November that have these files. */
async function reconciled(files: readonly string[], simulation = new Simulation()): Promise<Simulation> {
  simulation.files = () => files;
  simulation.always = true;
  await simulation.invoke({});
  return simulation;
}

const payloads = ({ queue }: Simulation) => queue.map(({ MessageBody }) => JSON.parse(MessageBody).payload);
const sessionIds = (simulation: Simulation) => payloads(simulation).map(({ sessionId }) => sessionId);

const SPOKEN = 'Mary your test was positive';

it('neither records an erased session nor stores its rows, also if it started on another day', async () => {
  const simulation = new Simulation();
  const [id, before] = ['AB12CD34-0000-4000-8000-000000000001', 'started-the-day-before'];
  for (const erased of [id, before]) simulation.erased.add(erased);
  const early = row(before, { CallId: '1', InitiatedAt: '2026-11-23T23:59:50Z' });

  await reconciled(
    [file(HEADER, row(id.toLowerCase()), early, row(before, { CallId: '2' }), row('s1'))],
    simulation,
  );

  expect(sessionIds(simulation)).toEqual(['s1']);
  expect(simulation.charges()).toEqual([expect.objectContaining({ SessionId: 's1' })]);
  expect(simulation.result()).toMatchObject({ sessions: 2, erased: 1, missing: 1, missingSessions: ['s1'] });
});

describe('the day fails, and nothing of it is recorded or stored,', () => {
  it.each<[string, string[], RegExp]>([
    [
      'if a later file begins with a header that lacks a required name',
      [file(HEADER, row('s1')), file(RENAMED_HEADER, SWAPPED_ROW)],
      /^The header of a file .* it lacks SessionStatus\. Found CallId, SessionId, .*, 2 other values\./,
    ],
    [
      'if a later file begins with a line that only spreadsheets read',
      [file(HEADER, row('s1')), file('sep=,', SWAPPED_HEADER, SWAPPED_ROW)],
      /begins with a line sep=/,
    ],
    [
      'if a header in another order is in the middle of a file',
      [file(HEADER, row('s1'), SWAPPED_HEADER, SWAPPED_ROW)],
      /is followed by another in record 3 of file 1/,
    ],
    [
      'if a header that lacks a required name is in the middle of a file',
      [file(HEADER, row('s1'), RENAMED_HEADER, SWAPPED_ROW)],
      /is followed by another in record 3 of file 1/,
    ],
    [
      'if a header in another language is in the middle of a file',
      [file(HEADER, row('s1'), SWAPPED_NAMES.map((name) => `x${name}`).join(), SWAPPED_ROW)],
      /is followed by another in record 3 of file 1/,
    ],
    [
      'if a later file without a header begins with a row of another order',
      [file(HEADER, row('s1')), file(row('s2', {}, NAMES.toReversed()))],
      /Found 19 other values/,
    ],
    ['if the first file has no header', [file(row('s1'))], /it lacks SessionId, .* Found 19 other values/],
    [
      'if a column of which a record has its times is renamed',
      [file(HEADER.replace('DisconnectedAt', 'EndedAt'), row('s1'))],
      /it lacks DisconnectedAt/,
    ],
    ['if a column is there twice', [file(`${HEADER},mos`, row('s1'))], /has the column MOS more than once/],
    [
      'if a title is above the header',
      [file('Calls of 24 November', HEADER, row('s1'))],
      /begins with a title line/,
    ],
    [
      'if the first line is sep=;',
      [file('sep=;', HEADER.replaceAll(',', ';'), row('s1').replaceAll(',', ';'))],
      /begins with a line sep=/,
    ],
    [
      'if a name in the header has a line end',
      [file(HEADER.replace('MOS', '"MOS\n"').replace('Content', '"New\ncolumn"'), row('s1'))],
      /it lacks|has a name with a line end/,
    ],
    ['if its line ends are CR alone', [[HEADER, row('s1'), row('s2')].join('\r')], /the line end CR/],
    [
      'if its line ends are CR alone, and its values have quotes',
      [[HEADER, row('s1', { Content: '"a\rb"' }), ''].join('\r')],
      /the line end CR/,
    ],
    [
      'if its line ends are CR alone, and a required column is the last one',
      [
        [
          [...NAMES.filter((name) => name !== 'MOS'), 'MOS'].join(),
          row('s1', { Content: SPOKEN }, [...NAMES.filter((name) => name !== 'MOS'), 'MOS']),
        ].join('\r'),
      ],
      /the line end CR/,
    ],
    ['if it ends with Ctrl-Z', [`${file(HEADER, row('s1'))}\x1a`], /control characters/],
    ['if it is UTF-16 without a byte order mark', [file(HEADER).split('').join('\0')], /control characters/],
    [
      'if two quotes astray are in different rows',
      [file(HEADER, row('s1', { SourceOperator: '"Tel' }), row('s2'), row('s3', { SourceOperator: 'Tel"' }))],
      /in record 2 of file 1, the quotes do not match/,
    ],
    [
      'if two quotes astray are in a column that is not kept',
      [file(HEADER, row('s1', { Content: '"hello' }), row('s2'), row('s3', { Content: 'hello"' }))],
      /in record 2 of file 1, the quotes do not match/,
    ],
    [
      'if a quote is within a value without quotes',
      [file(HEADER, row('s1', { SourceOperator: 'Te"l' }), row('s2', { SourceOperator: 'Te"l' }))],
      /the quotes do not match/,
    ],
    [
      'if text follows a quoted value',
      [file(HEADER, row('s1', { SourceOperator: '"Te"l' }))],
      /the quotes do not match/,
    ],
    [
      'if a documented value has a line end',
      [file(HEADER, row('s1', { SourceOperator: '"Tel\n2"' }))],
      /in record 2 of file 1, the quotes do not match/,
    ],
    ['if a quote is never closed', [file(HEADER, row('s1', { Content: '"hello' }))], /is cut off/],
    [
      'if the column SubAccountId is missing',
      [file(HEADER.replace('SubAccountId,', ''), row('s1').replace('acme,', ''))],
      /it lacks SubAccountId/,
    ],
    [
      'without a value of its first line in the message, if that is not a header',
      [file(`hello, ${SPOKEN}`, SPOKEN)],
      /Found 2 other values/,
    ],
  ])('%s', async (_, files, message) => {
    const simulation = new Simulation();
    simulation.files = () => files;
    simulation.always = true;

    const [day] = await simulation.invoke({});

    expect(day).toMatchObject({ state: 'failed', detail: expect.stringMatching(message) });
    expect(day?.detail).not.toMatch(/hello|Mary|Calls of/);
    expect([simulation.queue, simulation.charges()]).toEqual([[], []]);
  });
});

describe('a row is refused and counted, and its session is not recorded,', () => {
  it.each<[string, Record<string, string>, string]>([
    ['if its hour has one digit', { InitiatedAt: '2026-11-24 7:58:50' }, 'its InitiatedAt is not a time'],
    ['if its second is 60', { InitiatedAt: '2026-11-23T23:59:60Z' }, 'its InitiatedAt is not a time'],
    [
      'if its time is of the day before',
      { DisconnectedAt: '24/11/2026 08:30:15' },
      'its DisconnectedAt is not a',
    ],
    ['if its end is a text', { DisconnectedAt: 'soon' }, 'its DisconnectedAt is not a time'],
    [
      'if it was connected on no day',
      { ConnectedAt: '2026-02-30T00:00:00Z' },
      'its ConnectedAt is not a time',
    ],
    ['if its time has no minutes', { ConnectedAt: '2026-11-24' }, 'its ConnectedAt is not a time'],
    ['if its start is missing', { InitiatedAt: '' }, 'it has no InitiatedAt'],
    ['if its start is a placeholder', { InitiatedAt: '0001-01-01T00:00:00Z' }, 'it has no InitiatedAt'],
    [
      'if it ends in another year',
      { DisconnectedAt: '2030-01-01T00:00:00Z' },
      'its DisconnectedAt is outside',
    ],
    ['if it has no SubAccountId', { SubAccountId: '' }, 'it has no SubAccountId'],
    [
      'if it is of another sub-account',
      { SubAccountId: 'other' },
      'its SubAccountId is not the one asked for',
    ],
    ['if it has no CallId', { CallId: 'null' }, 'it has no CallId'],
    ['if its id has a space', { CallId: 's1 1' }, 'its CallId is not 1 to 128 printable ASCII characters'],
    [
      'if its status is a time',
      { SessionStatus: '2026-11-24T08:00:00Z' },
      'its SessionStatus is not a status',
    ],
    ['if its status is a number', { CallStatus: '486' }, 'its CallStatus is not a status'],
    ['if its price has a comma', { TotalPriceOfCall: '"0,0125"' }, 'its TotalPriceOfCall is not a decimal'],
    ['if its price has a currency', { TotalPriceOfCall: '$0.0125' }, 'its TotalPriceOfCall is not a decimal'],
    [
      'if its currency is a number',
      { UnitPriceCurrency: '0.0125' },
      'its UnitPriceCurrency is not a currency',
    ],
    ['if it has too many values', { Content: 'a,b' }, 'it has 20 values; expected 19, as in the header'],
    ['if a value is very long', { SourceOperator: 'x'.repeat(513) }, 'its SourceOperator has more than 512'],
  ])('%s', async (_, values, reason) => {
    // Another leg of the session can be read. It has to be left out too: the record would lack a leg.
    const files = [file(HEADER, row('s1', values), row('s1', { CallId: 's1-2' }), row('s2'))];

    const simulation = await reconciled(files);

    expect(simulation.result()).toMatchObject({
      ...{ rows: 2, refusedRows: 1, sessions: 2, missing: 2, recorded: 1, withRefusedRows: 1 },
      refused: [{ file: 1, row: 2, reason: expect.stringContaining(reason) }],
      withRefusedRowsSessions: ['s1'],
    });
    expect(sessionIds(simulation)).toEqual(['s2']);
    expect(simulation.telemetry.counted).toMatchObject({ RefusedRows: 1 });
  });

  it.each([
    [`it follows the others`, [row('s1'), row('s1', { CallId: '' })]],
    [`it precedes the others`, [row('s1', { CallId: '' }), row('s1')]],
  ])('also if %s', async (_, rows) => {
    expect(sessionIds(await reconciled([file(HEADER, ...rows, row('s2'))]))).toEqual(['s2']);
  });
});

describe('a session is recorded', () => {
  const recorded = { sessionId: 's1', subAccountId: 'acme', sessionStatus: 'BUSY', callCount: 1 };

  it.each<[string, string[]]>([
    ['if every row ends with one more comma', [file(HEADER, `${row('s1')},`)]],
    ['if the header and every row end with one more comma', [file(`${HEADER},`, `${row('s1')},`)]],
    ['if only the header ends with one more comma', [file(`${HEADER},`, row('s1'))]],
    ['if the same header is repeated', [file(HEADER, HEADER, row('s1'), HEADER)]],
    ['if a later file has no header', [file(HEADER), file(row('s1'))]],
    ['if the columns are in another order', [file(SWAPPED_HEADER, row('s1', {}, SWAPPED_NAMES))]],
    ['if the names are in other cases', [file(HEADER.toUpperCase(), row('s1'))]],
    ['from semicolons', [file(HEADER, row('s1')).replaceAll(',', ';')]],
    ['from tabs', [file(HEADER, row('s1')).replaceAll(',', '\t')]],
    ['from lines that end with CRLF', [file(HEADER, row('s1')).replaceAll('\n', '\r\n')]],
    [
      'if what was said has line ends, commas and quotes',
      [file(HEADER, row('s1', { Content: '"[\n {""say"": ""Hello, you""}\n]"' }))],
    ],
    ['once, from 51 copies of a file', Array(51).fill(file(HEADER, row('s1'), row('s2')))],
  ])('%s', async (_, files) => {
    const simulation = await reconciled(files);

    expect(payloads(simulation)[0]).toMatchObject(recorded);
    expect(simulation.result()).toMatchObject({ refusedRows: 0, unusable: 0 });
  });

  it('with two legs from 51 copies of a file', async () => {
    const copy = file(HEADER, row('s1'), row('s1', { CallId: 's1-2' }));

    expect(payloads(await reconciled(Array(51).fill(copy)))).toMatchObject([
      { sessionId: 's1', callCount: 2 },
    ]);
  });

  it('with the row of a leg that ends last, whatever their order', async () => {
    const rows = ['IN_PROGRESS', 'COMPLETED'].map((SessionStatus, i) =>
      row('s1', { SessionStatus, DisconnectedAt: `2026-11-24T08:00:1${i}Z` }),
    );

    for (const ordered of [rows, rows.toReversed()])
      expect(payloads(await reconciled([file(HEADER, ...ordered)]))).toMatchObject([
        { sessionStatus: 'COMPLETED', endTime: '2026-11-24T08:00:11.000Z', callCount: 1 },
      ]);
  });

  it.each<[string, Record<string, string>, object]>([
    [
      'without numbers that a spreadsheet has changed',
      { DestinationEndpoint: '6.59123E+09', SourceEndpoint: "'+6500000001" },
      { source: undefined, destination: undefined, callDuration: '10' },
    ],
    ['without numbers that have separators', { SourceEndpoint: '6500000001.0' }, { source: undefined }],
    ['without a mean opinion score that has a comma', { MOS: '"4,2"' }, { callQuality: undefined }],
    ['without a duration that is not in seconds', { DurationInSec: '00:00:10' }, { callDuration: undefined }],
  ])('%s, which are counted and stay in the row', async (_, values, leg) => {
    const simulation = await reconciled([file(HEADER, row('s1', values))]);

    const [{ details }] = payloads(simulation);
    for (const [name, value] of Object.entries(leg)) expect(details.callA[name]).toEqual(value);
    expect(simulation.result()).toMatchObject({
      recorded: 1,
      unreadableValues: Object.keys(values).length,
    });
    const kept = Object.entries(values).map(([name, value]) => [name, value.replaceAll('"', '')]);
    expect(simulation.charges()).toMatchObject([Object.fromEntries(kept)]);
  });

  it.each([
    ['masked', '+656833****'],
    ['without a plus sign', '6568332048'],
    ['of an address', 'sip:agent-7@example.com'],
    ['of a name', 'anonymous'],
  ])('with an endpoint that is %s', async (_, SourceEndpoint) => {
    const [{ details }] = payloads(await reconciled([file(HEADER, row('s1', { SourceEndpoint }))]));

    expect(details.callA.source).toBe(SourceEndpoint);
  });

  it.each([
    ['no status', { SessionStatus: '' }],
    ['a status of 200 characters', { SessionStatus: 'x'.repeat(200) }],
  ])('and counted as incomplete, if it has %s', async (_, values) => {
    const simulation = await reconciled([file(HEADER, row('s1', values))]);

    expect(payloads(simulation)).toMatchObject([{ sessionId: 's1', endTime: '2026-11-24T08:00:15.000Z' }]);
    expect(simulation.result()).toMatchObject({ recorded: 1, incomplete: 1 });
    expect(simulation.telemetry.counted).toMatchObject({ IncompleteSummaries: 1 });
  });

  it('without an end, if one of its legs has none', async () => {
    const open = row('s1', { InitiatedAt: '2026-11-24T01:00:00Z', DisconnectedAt: '', CallId: 's1-2' });

    const simulation = await reconciled([file(HEADER, row('s1'), open)]);

    expect(payloads(simulation)[0]).not.toHaveProperty('endTime');
    expect(simulation.result()).toMatchObject({ recorded: 1, incomplete: 1 });
  });

  it('with both legs, if many other sessions are between them', async () => {
    const others = Array.from({ length: 1_000 }, (_, i) =>
      row(`other-${i}`, {
        InitiatedAt: '2026-11-25T00:00:01Z',
        ConnectedAt: '',
        DisconnectedAt: '2026-11-25T00:00:02Z',
      }),
    );
    const leg = (CallId: string, start: string, end: string) =>
      row('s1', { CallId, InitiatedAt: start, ConnectedAt: start, DisconnectedAt: end });
    const [a, b] = [
      leg('a', '2026-11-24T23:59:50Z', '2026-11-24T23:59:59Z'),
      leg('b', '2026-11-25T00:00:05Z', '2026-11-25T00:01:00Z'),
    ];

    expect(payloads(await reconciled([file(HEADER, a, ...others, b)]))).toMatchObject([
      { sessionId: 's1', callCount: 2, endTime: '2026-11-25T00:01:00.000Z' },
    ]);
  });
});

describe('a session of the table is recognised', () => {
  const ID = 'ab12cd34-0000-4000-8000-000000000001';

  it.each([
    ['in upper case', ID.toUpperCase()],
    ['in braces', `{${ID}}`],
    ['after an apostrophe', `'${ID}`],
    ['as a formula', `="${ID}"`],
    ['as a quoted formula', `"=""${ID}"""`],
    ['without hyphens', ID.replaceAll('-', '')],
    ['as a URN', `urn:uuid:${ID}`],
  ])('if its id is exported %s', async (_, exported) => {
    const simulation = new Simulation();
    simulation.deliver(ID, { sessionStatus: 'BUSY' });

    const rows = [row(exported, { CallId: 'first' }), row(ID, { CallId: 'second' })];
    await reconciled([file(HEADER, ...rows)], simulation);

    expect(simulation.result()).toMatchObject({ sessions: 1, matched: 1, missing: 0 });
    expect(simulation.queue).toEqual([]);
  });

  it('if its id was delivered in upper case, which the stored rows then have', async () => {
    const simulation = new Simulation();
    simulation.deliver(ID.toUpperCase());

    await reconciled([file(HEADER, row(ID))], simulation);

    expect(simulation.result()).toMatchObject({ matched: 1, missing: 0 });
    expect(simulation.charges()).toMatchObject([{ SessionId: ID.toUpperCase() }]);
    for (const request of simulation.lookedUp) expect(new Set(request).size).toBe(request.length);
  });

  it('under the canonical id, if it is missing', async () => {
    expect(sessionIds(await reconciled([file(HEADER, row(`{${ID.toUpperCase()}}`))]))).toEqual([ID]);
  });

  it('only if an id that is not a UUID is exactly the same', async () => {
    const simulation = new Simulation();
    simulation.deliver('s1');

    expect(sessionIds(await reconciled([file(HEADER, row('s1'), row('S1'))], simulation))).toEqual(['S1']);
  });

  it('but not as ours if it is of another sub-account, which is counted and told', async () => {
    const simulation = new Simulation();
    simulation.deliver('s1', { subAccountId: 'other' });

    await reconciled([file(HEADER, row('s1'))], simulation);

    expect(simulation.result()).toMatchObject({
      sessions: 1,
      matched: 0,
      missing: 0,
      foreign: 1,
      foreignSessions: ['s1'],
    });
    expect(simulation.queue).toEqual([]);
  });

  it('in the dead-letter queue, if its delivery there is of the same sub-account', async () => {
    const simulation = new Simulation();
    simulation.deadLetters = new Set([`acme ${ID}`, 'other s2']);

    await reconciled([file(HEADER, row(ID.toUpperCase()), row('s2'))], simulation);

    expect(simulation.result()).toMatchObject({ deadLettered: 1, missing: 1 });
    expect(sessionIds(simulation)).toEqual(['s2']);
  });
});

describe('a later export of the same day', () => {
  async function later(simulation: Simulation, time: string, ...lines: string[]): Promise<Simulation> {
    simulation.record();
    simulation.sleepUntil(time);
    return reconciled([file(HEADER, ...lines)], simulation);
  }
  const open = { InitiatedAt: '2026-11-24T01:00:00Z', DisconnectedAt: '', SessionStatus: 'IN_PROGRESS' };

  it('replaces a reconstruction if it differs, and is counted', async () => {
    const simulation = await reconciled([file(HEADER, row('s1', open))]);
    const closed = { ...open, DisconnectedAt: '2026-11-24T01:30:00Z', SessionStatus: 'COMPLETED' };

    await later(simulation, '2026-11-27T06:30:00Z', row('s1', closed));
    expect(simulation.result()).toMatchObject({ missing: 0, reconstructed: 1, updated: 1 });
    simulation.record();

    expect(simulation.table.get('s1')).toMatchObject({
      sessionStatus: 'COMPLETED',
      endTime: '2026-11-24T01:30:00.000Z',
    });
  });

  it('changes nothing if it says the same', async () => {
    const simulation = await reconciled([file(HEADER, row('s1'))]);

    await later(simulation, '2026-11-27T06:30:00Z', row('s1'));

    expect(simulation.queue).toEqual([]);
    expect(simulation.result()).toMatchObject({ reconstructed: 1, updated: 0, fewerCalls: 0 });
  });

  it('does not replace a reconstruction that has more calls, which is counted', async () => {
    const simulation = await reconciled([file(HEADER, row('s1'), row('s1', { CallId: 'second' }))]);

    await later(simulation, '2026-11-27T06:30:00Z', row('s1', { SessionStatus: 'COMPLETED' }));

    expect(simulation.queue).toEqual([]);
    expect(simulation.result()).toMatchObject({ updated: 0, fewerCalls: 1 });
  });

  it('does not replace the rows of the day if it has fewer, which is counted', async () => {
    const rows = Array.from({ length: 100 }, (_, i) => row(`s${i}`));
    const simulation = await reconciled([file(HEADER, ...rows)]);

    await later(simulation, '2026-12-01T06:30:00Z', row('s1'));
    expect(simulation.charges().length).toBe(100);
    expect(simulation.result()).toMatchObject({ keptRows: 99 });
    expect(simulation.telemetry.logged).toContainEqual({
      level: 'warn',
      message: 'The log export has less than an earlier one, of which more is kept',
      details: [{ subAccountId: 'acme', day: '2026-11-24', keptRows: 99, fewerCalls: 0 }],
    });

    await later(simulation, '2026-12-02T06:30:00Z', ...rows);
    await simulation.invoke({ window: { ...WINDOW, again: true } });
    expect(simulation.result()).toMatchObject({ keptRows: 0 });
  });

  it('replaces the rows of the day if it has more legs, but fewer copies of their rows', async () => {
    const copy = file(HEADER, row('s1'));
    const simulation = await reconciled([copy, copy, copy]);

    await later(simulation, '2026-11-27T06:30:00Z', row('s1'), row('s2'));

    expect(simulation.charges()).toMatchObject([{ SessionId: 's1' }, { SessionId: 's2' }]);
    expect(simulation.result()).toMatchObject({ keptRows: 0 });
  });
});

const WINDOW = { subAccountId: 'acme', from: '2026-11-24', to: '2026-11-24', mode: 'record' };

describe('if none of at least twenty sessions has a delivered record,', () => {
  const lost = Array.from({ length: 20 }, (_, i) => row(`lost-${i}`));
  const before = {
    InitiatedAt: '2026-11-23T08:00:00Z',
    ConnectedAt: '',
    DisconnectedAt: '2026-11-23T08:00:15Z',
  };

  async function accepted(deliveries: number, lines: readonly string[], delivered: string[] = []) {
    const simulation = new Simulation();
    simulation.accepted = deliveries;
    for (const id of delivered) simulation.deliver(id);
    return reconciled([file(HEADER, ...lines)], simulation);
  }

  it('although deliveries were accepted then, the day is held until a person decides', async () => {
    const simulation = await accepted(5, [...lost.slice(0, 19), row('before', before)]);

    expect([simulation.queue, simulation.charges()]).toEqual([[], []]);
    expect(simulation.telemetry.counted).toMatchObject({ ReconciliationHeld: 1, MissedSessions: 19 });
    const [held] = await simulation.invoke({ window: WINDOW });
    expect(held).toMatchObject({ state: 'held', detail: expect.stringContaining('None of 20 sessions') });

    const [day] = await simulation.invoke({ window: { ...WINDOW, beyondLimit: true } });
    expect(day).toMatchObject({ state: 'done', result: { recorded: 19 } });
    expect(simulation.charges().length).toBe(19);
  });

  it('a report says that a run that records would be held, and stores nothing', async () => {
    const simulation = new Simulation();
    simulation.accepted = 5;
    simulation.files = () => [file(HEADER, ...lost)];
    simulation.always = true;

    const [reported] = await simulation.invoke({ window: { ...WINDOW, mode: 'report' } });

    expect(reported).toMatchObject({
      state: 'done',
      detail: expect.stringMatching(/^A run that records would be held\. None of 20 sessions/),
      result: { missing: 20, recorded: 0 },
    });
    expect(simulation.charges()).toEqual([]);
  });

  it.each<[string, number, string[], string[]]>([
    ['but none was accepted, they are recorded', 0, lost, []],
    ['but there are fewer, they are recorded', 5, lost.slice(1), []],
    [
      'but one of the day before has one, the lost day is recorded',
      5,
      [...lost, row('before', before)],
      ['before'],
    ],
    ['but one of the day has one, the others are recorded', 5, lost, ['lost-19']],
  ])('%s', async (_, deliveries, lines, delivered) => {
    const simulation = await accepted(deliveries, lines, delivered);

    expect(sessionIds(simulation).length).toBeGreaterThanOrEqual(19);
    expect(simulation.result()).toMatchObject({ recorded: simulation.queue.length });
  });
});

it('an empty object in place of the state of a day stops no day of any sub-account', async () => {
  const simulation = new Simulation({ subAccountIds: ['acme', 'other'] });
  simulation.stored.set('reconciliation/state/acme/2026-11-24.json', '');
  simulation.stored.set('reconciliation/state/other/first-seen.json', '');

  await reconciled([file(HEADER, row('s1'))], simulation);

  expect(sessionIds(simulation)).toContain('s1');
  expect(simulation.state()).toMatchObject({ failures: 0, completed: { mode: 'record' } });
});
