import { gzipSync } from 'node:zlib';
import { MAX_KEYS } from '../../functions/vss/event.ts';
import { isJsonObject, type Json } from '../../functions/vss/json.ts';
import { MAX_BODY_BYTES } from '../../functions/webhook/receive.ts';
import { type Example, examples } from '../../infra/local/examples.ts';

/** Values that have broken other programs, or that are special here. */
const VALUES: readonly Json[] = [
  ...[null, true, false, 0, -0, 1e308, -1e-320, 2 ** 53, '', ' ', 'null', '\u0000', '\ud800', '\ufeff', '😀'],
  ...[
    '__proto__',
    'constructor',
    '2024-02-30T00:00:00Z',
    '9999-12-31T23:59:59.999999999-14:00',
    '1e5',
    '-2004',
    'CALL_ACTION',
  ],
  ...['x'.repeat(5_000), '9'.repeat(400), [], {}, [[[[[[]]]]]], { json: 1 }, { toString: 1 }],
];

const KEYS = [
  '__proto__',
  'constructor',
  'payload',
  'details',
  'CALLA',
  'callZ',
  'a.b',
  '\\',
  '"',
  '',
  'eventType',
];

/** Bodies close to the size limit, each a worst case for some way of parsing. */
function* worstBodies(): Generator<string> {
  const fill = (unit: string, before = '', after = '') =>
    before + unit.repeat(Math.floor((MAX_BODY_BYTES - before.length - after.length) / unit.length)) + after;
  yield fill('[');
  yield fill('{"a":');
  yield fill('9');
  yield fill('9', '{"a":', '}');
  yield fill('1e5,', '[1e999,', '1]');
  yield fill('0.1234567890123456789,', '[', '1]');
  yield fill('"\\u0041":1,', '{', '"b":1}');
  yield fill('\\', '{"a":"', '"}');
  yield fill('\\"', '{"a":"', '"}');
  yield fill('\\u', '{"a":"', '"}');
  yield fill('\\"', '{"a":"');
  yield fill('"');
  yield fill('{},', '{"eventType":"SESSION_SUMMARY","payload":[', '{}]}');
  const [{ body = '' } = {}] = examples;
  const inside = (text: string) => body.replace('"details": {', `"details": {${text}`);
  const room = MAX_BODY_BYTES - body.length;
  yield inside('"x":[[]],'.repeat(Math.floor(room / 9)));
  yield inside(`"long":"${'9'.repeat(room - 20)}",`);
  const filled = (unit: (i: number) => string, before = '', after = '') => {
    let text = before;
    for (let i = 0; text.length < room - 150; i++) text += unit(i);
    return inside(text + after);
  };
  // One number exceeds a double, so that all numbers are checked.
  yield filled(() => '0.0,', '"x":[1e999,', '1],');
  yield filled(() => '1e100,', '"x":[{"\\n":1},', '1],');
  const escaped = Array.from({ length: MAX_KEYS - 200 }, (_, i) => `{"\\n${i}":1},`).join('');
  for (const unit of ['{},', '[{}],', '0.0,', '"",'])
    yield filled(() => unit, `"x":[1e999,${escaped}`, '1],');
  // The value that DynamoDB cannot store comes last, so that everything before it is checked first.
  const nested = Array.from({ length: MAX_KEYS / 2 - 100 }, (_, i) => `"\\n${i}":{"\\n${i}x":[]},`).join('');
  for (const unit of ['{},', '[{}],', '"",'])
    yield filled(() => unit, `${nested}"x":[1e999,"Ā",`, '{"\\n":1}],');
  // Distinct keys, unescaped and escaped: more than the maximum, and nearly as many.
  yield filled((i) => `"k${i}":1,`);
  yield filled((i) => `"\\n${i}":1,`);
  const wide = (keys: number, before: string, after: string) =>
    before + 'x'.repeat((keys * room) / (MAX_KEYS - 200) - before.length - after.length) + after;
  yield filled((i) => wide(1, `"${i}":"`, '",'));
  yield filled((i) => wide(1, `"\\n${i}":"`, '",'));
  yield filled((i) => wide(1, `{"\\n${i}":"`, '"},'), '"x":[', '1],');
  yield filled((i) => wide(2, `"call${i}":{"callId":"`, '"},'));
  yield `${body.slice(0, -1)}${' '.repeat(room)}${body.slice(-1)}`;
}

/** Hostile bodies: worst cases, payloads with random changes, damaged bytes, and random bytes. */
export function* hostileBodies(random: () => number): Generator<Buffer> {
  const below = (limit: number) => Math.floor(random() * limit);
  const oneOf = <T>(values: readonly T[], otherwise: T): T => values[below(values.length)] ?? otherwise;
  for (const worst of worstBodies()) yield Buffer.from(worst);
  // Decompressed sizes: empty, the maximum of 256 KiB, one byte more, and fifty times as much.
  for (const size of [0, MAX_BODY_BYTES, MAX_BODY_BYTES + 1, MAX_BODY_BYTES * 50])
    yield gzipSync(Buffer.alloc(size, ' '));
  for (let session = 0; ; session++) {
    const { body } = oneOf<Pick<Example, 'body'>>(examples, { body: '{}' });
    const kind = random();
    if (kind < 0.05) {
      yield Buffer.from(Array.from({ length: below(300) }, () => below(256)));
      continue;
    }
    // Usually with a unique session id. Otherwise thousands of summaries would belong to the same seven sessions.
    const value: Json = JSON.parse(body.replace(/("sessionId": )"[^"]*"/, `$1"fuzz-${session}"`));
    const changed = kind < 0.15 ? value : changedAt(value, 1 + below(4));
    const bytes = Buffer.from(JSON.stringify(changed));
    if (kind < 0.25) {
      for (let i = 0; i <= below(4); i++) bytes[below(bytes.length)] = below(256);
      yield kind < 0.2 ? bytes.subarray(0, below(bytes.length)) : bytes;
    } else if (kind < 0.3) {
      const compressed = gzipSync(bytes);
      if (random() < 0.3) compressed[below(compressed.length)] = below(256);
      yield random() < 0.2 ? compressed.subarray(0, below(compressed.length)) : compressed;
    } else {
      yield bytes;
    }
  }

  /** A copy with random changes. */
  function changedAt(value: Json, changes: number): Json {
    let result = value;
    for (let i = 0; i < changes; i++) result = change(result);
    return result;
  }

  function change(value: Json): Json {
    if (random() < 0.1 || typeof value !== 'object' || value === null) return oneOf(VALUES, null);
    const entries = Object.entries(value);
    const at = below(entries.length + 1);
    const [key = oneOf(KEYS, 'k'), inner = oneOf(VALUES, null)] = entries[at] ?? [];
    const how = random();
    if (how < 0.6) entries[at] = [key, change(inner)];
    else if (how < 0.7) entries.splice(at, 1);
    else if (how < 0.8) entries[at] = [key.toUpperCase(), inner];
    else if (how < 0.9) entries[at] = [oneOf(KEYS, 'k'), inner];
    else entries.push([`${key}${below(10)}`, oneOf(VALUES, null)]);
    return isJsonObject(value) ? Object.fromEntries(entries) : entries.map(([, item]) => item);
  }
}
