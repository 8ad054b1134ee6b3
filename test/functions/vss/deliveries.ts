import fc from 'fast-check';
import { isJsonObject, type Json, type JsonObject } from '../../../functions/vss/json.ts';
import { parseJson } from '../../../functions/vss/parse-json.ts';

/** Arbitrary deliveries: valid in the fields that identify a session, and arbitrary in all others. */

const absent = fc.constantFrom<Json>(null, '', 'null', 'Null', 'NULL');

/** Keys that have broken other programs, or that are special here. */
const hostileKey = fc.constantFrom(
  ...[
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    '',
    ' ',
    '*',
    'json',
    'a.b',
    '\\',
    'a\\',
    'a\n',
    '\x80Ü',
    '["a"]',
    'a"]["b',
    '\ud800',
  ],
  ...['é', '😀', 'payload', 'details', 'legs', 'leg', 'unrecognised', 'digest', 'x'.repeat(256)],
  ...[
    'CallA',
    'callA',
    'SourceRefId',
    'sourcerefid',
    'callQuality',
    'CALLQUALITY',
    'errorDetails',
    'mos',
    'endtime',
  ],
);

const key = fc.oneof({ arbitrary: hostileKey, weight: 3 }, { arbitrary: fc.string(), weight: 1 });

const number = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 1e300, 5e-324, 2 ** 53, 2 ** 53 + 2, -1e-200),
);

/** Any code point. fast-check's own (`binary`) first builds a map of all of them, which takes a second of CPU. */
export const codePoint = fc
  .nat(0x10_ffff - 0x800)
  .map((number) => String.fromCodePoint(number < 0xd800 ? number : number + 0x800));

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: codePoint }),
  fc.constantFrom('\ud800', '\udfff!', '-2004', '1e5'),
);

/** Any JSON value, including values that DynamoDB rejects. */
const { any: anyJson } = fc.letrec<{ any: Json }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<Json>(null, true, false, [], {}, { json: 'x' }, { json: { json: 1 } }, nested(40)),
    number,
    text,
    fc.array(tie('any'), { maxLength: 4 }),
    objectOf(tie('any')),
  ),
}));

export { anyJson };

function nested(depth: number): Json {
  return depth === 0 ? 'deep' : depth % 2 === 0 ? [nested(depth - 1)] : { in: nested(depth - 1) };
}

function objectOf(values: fc.Arbitrary<Json>): fc.Arbitrary<JsonObject> {
  return fc.array(fc.tuple(key, values), { maxLength: 4 }).map((entries) => Object.fromEntries(entries));
}

const time = fc
  .tuple(
    fc.date({
      min: new Date('0001-01-02T00:00:00Z'),
      max: new Date('9999-12-30T00:00:00Z'),
      noInvalidDate: true,
    }),
    fc.constantFrom('T', ' '),
    fc.constantFrom('', '.5', '.123', '.123000', '.1234567', ',000000001'),
    fc.constantFrom('Z', 'z', '+00:00', '+05:30', '-0800', '+14:00', '+08', ' UTC', ''),
  )
  .map(
    ([date, separator, fraction, offset]) =>
      `${date.toISOString().slice(0, 19).replace('T', separator)}${fraction}${offset}`,
  );

const epoch = fc
  .tuple(fc.integer({ min: 1_000_000_000, max: 2_000_000_000 }), fc.constantFrom(1, 1_000), fc.boolean())
  .map(([seconds, factor, isText]): Json => (isText ? `${seconds * factor}` : seconds * factor));

/** A time in a supported format, or any other value. */
const timeOrNot = fc.oneof(
  { arbitrary: time, weight: 8 },
  { arbitrary: epoch, weight: 2 },
  { arbitrary: absent, weight: 1 },
  { arbitrary: anyJson, weight: 1 },
);

const status = fc.constantFrom(
  ...[
    'COMPLETED',
    'NO ANSWER',
    'NO_ANSWER',
    'busy',
    'CANCELLED',
    'CANCELED',
    'FAILED',
    'ERROR',
    'Some New One',
  ],
);

/** Documented or observed values of each known field. */
const FIELDS: Readonly<Record<string, fc.Arbitrary<Json>>> = {
  lastAction: fc.constantFrom('MAKE_CALL', 'makeCall', 'PlayTTS', 'hangup', 'transfer'),
  callCount: fc.oneof(fc.nat(), fc.nat().map(String)),
  clientRequestId: text,
  callId: fc.uuid(),
  callDirection: fc.constantFrom('INBOUND', 'outbound'),
  callType: fc.constantFrom('PSTN', 'VoIP'),
  callStatus: status,
  initiatedTimestamp: timeOrNot,
  connectedTimestamp: time,
  disconnectedTimestamp: time,
  callDuration: fc.oneof(fc.nat(), fc.nat().map(String)),
  source: text,
  sourceFormat: fc.constantFrom('MSISDN', 'SIP'),
  sourceCountryCode: fc.constantFrom('SG', 'US'),
  sourceRefId: text,
  destination: text,
};

/** Some of the known fields, usually with fitting values, and unknown fields. */
function fields(names: readonly string[], nestedFields: Readonly<Record<string, fc.Arbitrary<Json>>> = {}) {
  const known = Object.fromEntries(
    [...names.map((name) => [name, FIELDS[name] ?? anyJson] as const), ...Object.entries(nestedFields)].map(
      ([name, fitting]) => [
        name,
        fc.oneof(
          { arbitrary: fitting, weight: 6 },
          { arbitrary: absent, weight: 1 },
          { arbitrary: anyJson, weight: 1 },
        ),
      ],
    ),
  );
  return fc
    .tuple(fc.record(known, { requiredKeys: [] }), objectOf(anyJson))
    .map(([recognised, others]) =>
      asJson(Object.fromEntries([...Object.entries(others), ...Object.entries(recognised)])),
    );
}

function asJson(object: object): JsonObject {
  const json = parseJson(JSON.stringify(object));
  return isJsonObject(json) ? json : {};
}

const callQuality = fc
  .record(
    {
      mos: fc.oneof(fc.constantFrom<Json>(4.5, '4.5', 1), anyJson),
      packetLossRate: number,
      jitter: fc.oneof(fc.nat(), anyJson),
    },
    { requiredKeys: [] },
  )
  .map((quality) => asJson(quality));

const errorDetails = fc
  .tuple(
    fc.record({ errorCode: fc.constantFrom<Json>(-2004, '-2004', 'E1'), errorMsg: text }),
    objectOf(anyJson),
  )
  .map(
    ([documented, others]): JsonObject =>
      Object.fromEntries([...Object.entries(others), ...Object.entries(documented)]),
  );

const legNames = [
  ...[
    'callId',
    'callDirection',
    'callType',
    'callStatus',
    'initiatedTimestamp',
    'connectedTimestamp',
    'source',
  ],
  ...[
    'disconnectedTimestamp',
    'callDuration',
    'sourceFormat',
    'sourceCountryCode',
    'sourceRefId',
    'destination',
  ],
];

const leg = fc.oneof(
  { arbitrary: fields(legNames, { callQuality, errorDetails }), weight: 8 },
  { arbitrary: absent, weight: 1 },
  { arbitrary: anyJson, weight: 1 },
);

const details = fc
  .array(fc.tuple(fc.oneof(fc.constantFrom('callA', 'CallA', 'callB', 'CALLC', 'other'), key), leg), {
    maxLength: 4,
  })
  .map((legs): Json => Object.fromEntries(legs));

/** The fields that identify a session and one of its summaries. */
export const identity = fc.record({
  sessionId: fc.constantFrom('session-1', 'session-2'),
  subAccountId: fc.constantFrom('8x8_test', 'wavecell_voice'),
  sessionStatus: fc.oneof(
    { arbitrary: status, weight: 8 },
    { arbitrary: absent, weight: 1 },
    { arbitrary: anyJson, weight: 1 },
  ),
  startTime: timeOrNot,
  endTime: timeOrNot,
});

/** A valid summary with arbitrary additional fields. */
export const delivery: fc.Arbitrary<JsonObject> = fc
  .tuple(
    identity,
    fields(['lastAction', 'callCount', 'clientRequestId'], { errorDetails, details }),
    objectOf(anyJson),
    fc.record(
      {
        namespace: fc.constantFrom<Json>('VOICE', 'VOICES', 1),
        version: fc.constantFrom<Json>(5, '5', 'v5'),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([required, optional, others, event]) =>
    Object.fromEntries([
      ...Object.entries(others).filter(([name]) => !/^(eventtype|payload)$/i.test(name)),
      ...Object.entries(event),
      ['eventType', 'SESSION_SUMMARY'],
      [
        'payload',
        Object.fromEntries([
          ...Object.entries(optional).filter(([name]) => !/^endtime$/i.test(name)),
          ...Object.entries(required),
        ]),
      ],
    ]),
  );
