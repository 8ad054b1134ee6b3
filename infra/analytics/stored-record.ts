import * as v from 'valibot';
import { ERASED_AT } from '../../functions/recorder/tombstone.ts';
import { FIELDS } from '../../functions/vss/payload.ts';
import type { ReceivedSummary } from '../../functions/vss/record.ts';
import { decimal, instant, integer } from '../../functions/vss/values.ts';

/**
 * The type of an attribute of a stored record. The elements of a list are maps. `paths` is the map `unrecognised`: its
 * keys are paths in the delivery, and its values may have any type.
 */
export type Attribute =
  | { holds: 'text' | 'integer' | 'decimal' | 'instant' }
  | { holds: 'map'; of: Attributes }
  | { holds: 'list'; of: Attributes }
  | { holds: 'paths' };
export type Attributes = Readonly<Record<string, Attribute>>;

const BeginsWithString = v.object({ type: v.literal('string') });

/** The attributes that store these fields of a delivery. */
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
  if (v.is(BeginsWithString, inner)) return { holds: 'text' };
  throw new Error(`stored-record.ts does not know the stored type of the field ${name}.`);
}

const { details: _, ...identity } = FIELDS.payload;

/** The attributes of an error. */
export const ERROR_DETAILS = attributesOf(FIELDS.errorDetails);

/** The attributes of a call leg. */
export const LEG: Attributes = { leg: { holds: 'text' }, ...attributesOf(FIELDS.leg) };

/** The attributes of a summary. */
export const SUMMARY: Attributes = {
  ...attributesOf(identity),
  version: { holds: 'integer' },
  legs: { holds: 'list', of: LEG },
  unrecognised: { holds: 'paths' },
  digest: { holds: 'text' },
  receivedAt: { holds: 'instant' },
  reconstructedFrom: { holds: 'text' },
} satisfies Record<Exclude<keyof ReceivedSummary, keyof typeof identity>, Attribute>;

/** The attributes of a session record (`functions/vss/record.ts`, `functions/recorder/session-table.ts`). */
export const RECORD: Attributes = {
  ...SUMMARY,
  alternates: { holds: 'list', of: SUMMARY },
  revision: { holds: 'integer' },
  unsuccessfulIn: { holds: 'text' },
  unsuccessfulAt: { holds: 'instant' },
  expiresAt: { holds: 'integer' },
};

/** The attributes of an item of the table: a record, or the tombstone of an erased session (`functions/recorder/tombstone.ts`). */
export const STORED_ITEM: Attributes = { ...RECORD, [ERASED_AT]: { holds: 'instant' } };

/** The type descriptors of DynamoDB JSON. */
const DESCRIPTORS = { text: 'S', instant: 'S', integer: 'N', decimal: 'N', map: 'M', list: 'L', paths: 'M' };

/** The type syntax of an engine. */
interface TypeSyntax {
  text: string;
  struct(fields: readonly (readonly [name: string, type: string])[]): string;
  list(of: string): string;
  map(of: string): string;
}

/** Hive's type syntax, which Glue uses in table definitions. */
export const HIVE_TYPES: TypeSyntax = {
  text: 'string',
  struct: (fields) => `struct<${fields.map(([name, type]) => `${name.toLowerCase()}:${type}`).join(',')}>`,
  list: (of) => `array<${of}>`,
  map: (of) => `map<string,${of}>`,
};

export const DUCKDB_TYPES: TypeSyntax = {
  text: 'VARCHAR',
  struct: (fields) => `STRUCT(${fields.map(([name, type]) => `"${name}" ${type}`).join(', ')})`,
  list: (of) => `${of}[]`,
  map: (of) => `MAP(VARCHAR, ${of})`,
};

/** The type of an item with these attributes in DynamoDB JSON: `{"sessionId":{"S":"…"},…}`. */
export function itemType(attributes: Attributes, engine: TypeSyntax): string {
  return engine.struct(
    Object.entries(attributes).map(([name, attribute]) => {
      const type = valueType(attribute, engine);
      return [name, engine.struct([[DESCRIPTORS[attribute.holds], type]])];
    }),
  );
}

function valueType(attribute: Attribute, engine: TypeSyntax): string {
  if (attribute.holds === 'map') return itemType(attribute.of, engine);
  if (attribute.holds === 'list') return engine.list(engine.struct([['M', itemType(attribute.of, engine)]]));
  // An unrecognised field may have any type, so its value is DynamoDB JSON as text.
  return attribute.holds === 'paths' ? engine.map(engine.text) : engine.text;
}

/** Every key in the DynamoDB JSON of an item with these attributes: attribute names and type descriptors. */
export function namesIn(attributes: Attributes): Set<string> {
  return new Set(
    Object.entries(attributes).flatMap(([name, attribute]) => [
      name,
      DESCRIPTORS[attribute.holds],
      ...('of' in attribute ? ['M', ...namesIn(attribute.of)] : []),
    ]),
  );
}
