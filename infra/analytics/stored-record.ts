import * as v from 'valibot';
import { FIELDS } from '../../functions/vss/payload.ts';
import type { ReceivedSummary } from '../../functions/vss/record.ts';
import { decimal, instant, integer } from '../../functions/vss/values.ts';

/**
 * What an attribute of a stored record holds. A list's elements are maps. `paths` is the map `unrecognised`, whose keys
 * are paths in the delivery and whose values may be of any type.
 */
export type Attribute =
  | { holds: 'text' | 'integer' | 'decimal' | 'instant' }
  | { holds: 'map'; of: Attributes }
  | { holds: 'list'; of: Attributes }
  | { holds: 'paths' };
export type Attributes = Readonly<Record<string, Attribute>>;

const BeginsWithString = v.object({ type: v.literal('string') });

/** The attributes that these fields of a delivery become. */
function attributesOf(fields: v.ObjectEntries): Attributes {
  return Object.fromEntries(
    Object.entries(fields).map(([name, schema]) => [name, attributeOf(name, schema)]),
  );
}

function attributeOf(name: string, schema: v.ObjectEntries[string]): Attribute {
  if (name === 'callQuality' || name === 'errorDetails')
    return { holds: 'map', of: attributesOf(FIELDS[name]) };
  const inner = 'wrapped' in schema ? schema.wrapped : schema;
  if (inner === integer) return { holds: 'integer' };
  if (inner === decimal) return { holds: 'decimal' };
  if (inner === instant) return { holds: 'instant' };
  // Every other field is a text.
  if (v.is(BeginsWithString, inner)) return { holds: 'text' };
  throw new Error(`stored-record.ts does not know how the field ${name} is stored.`);
}

const { details: _, ...identity } = FIELDS.payload;

/** What 8x8 says of an error, as it is stored. */
export const ERROR_DETAILS = attributesOf(FIELDS.errorDetails);

/** A call leg, as it is stored. */
export const LEG: Attributes = { leg: { holds: 'text' }, ...attributesOf(FIELDS.leg) };

/** A summary, as it is stored. */
export const SUMMARY: Attributes = {
  ...attributesOf(identity),
  version: { holds: 'integer' },
  legs: { holds: 'list', of: LEG },
  unrecognised: { holds: 'paths' },
  digest: { holds: 'text' },
  receivedAt: { holds: 'instant' },
} satisfies Record<Exclude<keyof ReceivedSummary, keyof typeof identity>, Attribute>;

/** A session record, as it is stored (`functions/vss/record.ts`, `functions/recorder/session-table.ts`). */
export const RECORD: Attributes = {
  ...SUMMARY,
  alternates: { holds: 'list', of: SUMMARY },
  revision: { holds: 'integer' },
  unsuccessfulIn: { holds: 'text' },
  unsuccessfulAt: { holds: 'instant' },
  expiresAt: { holds: 'integer' },
};

/** The names by which DynamoDB's JSON says of what type a value is. */
const TYPE_NAMES = { text: 'S', instant: 'S', integer: 'N', decimal: 'N', map: 'M', list: 'L', paths: 'M' };

/** How an engine writes types. */
interface TypeNames {
  text: string;
  struct(fields: readonly (readonly [name: string, type: string])[]): string;
  list(of: string): string;
  map(of: string): string;
}

/** Hive's types, in which Glue defines tables. */
export const HIVE_TYPES: TypeNames = {
  text: 'string',
  struct: (fields) => `struct<${fields.map(([name, type]) => `${name.toLowerCase()}:${type}`).join(',')}>`,
  list: (of) => `array<${of}>`,
  map: (of) => `map<string,${of}>`,
};

export const DUCKDB_TYPES: TypeNames = {
  text: 'VARCHAR',
  struct: (fields) => `STRUCT(${fields.map(([name, type]) => `"${name}" ${type}`).join(', ')})`,
  list: (of) => `${of}[]`,
  map: (of) => `MAP(VARCHAR, ${of})`,
};

/** The type of an item with these attributes, in DynamoDB's JSON: `{"sessionId":{"S":"…"},…}`. */
export function itemType(attributes: Attributes, engine: TypeNames): string {
  return engine.struct(
    Object.entries(attributes).map(([name, attribute]) => {
      const type = valueType(attribute, engine);
      return [name, engine.struct([[TYPE_NAMES[attribute.holds], type]])];
    }),
  );
}

function valueType(attribute: Attribute, engine: TypeNames): string {
  if (attribute.holds === 'map') return itemType(attribute.of, engine);
  if (attribute.holds === 'list') return engine.list(engine.struct([['M', itemType(attribute.of, engine)]]));
  // What was not recognised may have any type, so its value is DynamoDB's JSON as text.
  return attribute.holds === 'paths' ? engine.map(engine.text) : engine.text;
}

/** Every name in an item with these attributes, with those of DynamoDB's types. */
export function namesIn(attributes: Attributes): Set<string> {
  return new Set(
    Object.entries(attributes).flatMap(([name, attribute]) => [
      name,
      TYPE_NAMES[attribute.holds],
      ...('of' in attribute ? ['M', ...namesIn(attribute.of)] : []),
    ]),
  );
}
