import type { CfnTable } from 'aws-cdk-lib/aws-glue';
import { CHARGE_FIELDS } from '../analytics/charges/charge-fields.ts';
import { CHARGE_VIEWS } from '../analytics/charges/charge-views.ts';
import { type ColumnType, type Dialect, trino } from '../analytics/dialect.ts';
import { EXPORT_COLUMNS, EXPORTS_COLUMNS, exportsSelect } from '../analytics/exports-view.ts';
import { SESSION_CHANGES, sessionChangesSelect } from '../analytics/session-changes.ts';
import { HIVE_TYPES, itemType, namesIn, STORED_ITEM } from '../analytics/stored-record.ts';
import { type Column, columnsOf, selectOf } from '../analytics/view.ts';
import { VIEWS, VIEWS_WITH_HISTORY } from '../analytics/views.ts';
import {
  CHANGE_FILES,
  CHARGE_FILES,
  CHARGE_ROWS,
  EXPORT_FILES,
  IMAGES,
  LISTED_FILES,
  newestRecords,
  RECORDS,
} from './exported-records.ts';

export interface ExportLocation {
  /** `s3://BUCKET/exports/`. Below it, each export is under the time for which it was scheduled. */
  url: string;
  /** Retention of the exports, in days. */
  retentionDays: number;
}

/** A table over files that DynamoDB writes. Each line is an item or, in a manifest, the name of a data file. */
interface FileTable {
  name: string;
  description: string;
  /** The folder of a partition, below the URL of the exports. */
  folder: string;
  /** Columns, named like the JSON attributes that they contain. */
  columns: readonly { name: string; type: string; comment: string }[];
}

const MANIFEST_COLUMNS = [
  { name: 'itemCount', type: 'bigint', comment: 'in a manifest: the number of items in the data file' },
  { name: 'dataFileS3Key', type: 'string', comment: 'in a manifest: the key of the data file' },
] as const;

const FILE_TABLES: readonly FileTable[] = [
  {
    name: EXPORT_FILES,
    description: 'Files of the full exports, which the views read',
    folder: `\${export_time}/AWSDynamoDB/`,
    columns: [
      {
        name: 'Item',
        type: itemType(STORED_ITEM, HIVE_TYPES),
        comment: 'a record; null in the lines of a manifest',
      },
      ...MANIFEST_COLUMNS,
    ],
  },
  {
    name: CHANGE_FILES,
    description: 'Files of the incremental exports, which the views read',
    folder: `changes/\${export_time}/`,
    columns: [
      { name: 'Keys', type: 'struct<sessionid:struct<s:string>>', comment: 'which record changed' },
      { name: 'Metadata', type: 'struct<writetimestampmicros:struct<n:string>>', comment: 'when it changed' },
      {
        name: 'NewImage',
        type: itemType(STORED_ITEM, HIVE_TYPES),
        comment: 'the record; null if it was deleted',
      },
      ...MANIFEST_COLUMNS,
    ],
  },
];

/**
 * Matching is case-sensitive, because Athena fails on a record with two names that differ only in case. Glue lower-cases
 * column names, so each name with an upper-case letter needs a mapping.
 */
const NAMES = [
  ...FILE_TABLES.flatMap(({ columns }) => columns.map(({ name }) => name)),
  'WriteTimestampMicros',
  ...namesIn(STORED_ITEM),
].filter((name) => name !== name.toLowerCase());

/**
 * Defines the tables over the files of the exports. Athena computes their partitions: one per full hour.
 *
 * @see https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
 */
export function fileTables({ url, retentionDays }: ExportLocation): readonly CfnTable.TableInputProperty[] {
  return FILE_TABLES.map(({ name, description, folder, columns }) => ({
    name,
    description,
    tableType: 'EXTERNAL_TABLE',
    partitionKeys: [{ name: 'export_time', type: 'string' }],
    parameters: {
      EXTERNAL: 'TRUE',
      classification: 'json',
      compressionType: 'gzip',
      'projection.enabled': 'true',
      'projection.export_time.type': 'date',
      'projection.export_time.format': "yyyy-MM-dd'T'HH'Z'",
      'projection.export_time.range': `NOW-${retentionDays + 1}DAYS,NOW`,
      'projection.export_time.interval': '1',
      'projection.export_time.interval.unit': 'HOURS',
      'storage.location.template': `${url}${folder}`,
    },
    storageDescriptor: jsonLines(url, columns, NAMES),
  }));
}

/**
 * Defines the table over the files of charges. It has no partitions: its views read all files in any case, to find legs
 * that several of them have, and a projected range of days would hide those that an older backfill wrote.
 *
 * @param url `s3://BUCKET/charges/`.
 */
export function chargeTable(url: string): CfnTable.TableInputProperty {
  const columns = CHARGE_FIELDS.map((name) => ({ name, type: 'string', comment: 'as exported by 8x8' }));
  return {
    name: CHARGE_FILES,
    description: 'Rows of 8x8’s log export, which the views of charges read',
    tableType: 'EXTERNAL_TABLE',
    partitionKeys: [],
    parameters: { EXTERNAL: 'TRUE', classification: 'json', compressionType: 'gzip' },
    storageDescriptor: jsonLines(url, columns, CHARGE_FIELDS),
  };
}

/** Files with a JSON object per line. @param names The names in the JSON that have upper-case letters. */
function jsonLines(
  location: string,
  columns: FileTable['columns'],
  names: readonly string[],
): CfnTable.StorageDescriptorProperty {
  return {
    location,
    inputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
    outputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
    columns: columns.map((column) => ({ ...column, name: column.name.toLowerCase() })),
    serdeInfo: {
      serializationLibrary: 'org.openx.data.jsonserde.JsonSerDe',
      parameters: {
        'serialization.format': '1',
        'case.insensitive': 'FALSE',
        ...Object.fromEntries(names.map((each) => [`mapping.${each.toLowerCase()}`, each])),
        // Skips the checksum files and the manifest summary, whose lines are not JSON.
        'ignore.malformed.json': 'TRUE',
      },
    },
  };
}

/** The dialect for the types of columns, which do not depend on the time zone. */
const TRINO = trino('UTC');

/**
 * Defines the views in Athena.
 *
 * @param fullExportDays Days from one full export to the next.
 * @param withCharges Whether to include the views of charges.
 */
export function athenaViews(
  fullExportDays: number,
  dialect: Dialect,
  withCharges: boolean,
): readonly AthenaView[] {
  // An export may be late, and a large one takes hours.
  const newest = newestRecords(fullExportDays + 2);
  return [
    {
      name: 'exports',
      description: 'One row per complete export',
      columns: EXPORTS_COLUMNS,
      sql: exportsSelect(`(${LISTED_FILES}) AS listed`, dialect),
    },
    ...VIEWS.map((view) => ({
      name: view.name,
      description: `${view.description}, as of the newest exports`,
      columns: columnsOf(view),
      sql: selectOf(view, dialect, newest),
    })),
    ...VIEWS_WITH_HISTORY.map((view) => ({
      name: `${view.name}_history`,
      description: `${view.description} and full export`,
      columns: [...EXPORT_COLUMNS, ...columnsOf(view)],
      sql: selectOf(view, dialect, RECORDS, EXPORT_COLUMNS),
    })),
    { ...SESSION_CHANGES, sql: sessionChangesSelect(IMAGES, dialect) },
    ...(withCharges ? CHARGE_VIEWS : []).map((view) => ({
      name: view.name,
      description: view.description,
      columns: columnsOf(view),
      sql: selectOf(view, dialect, CHARGE_ROWS),
    })),
  ];
}

export interface AthenaView {
  name: string;
  description: string;
  columns: readonly Column[];
  sql: string;
}

/** The types in Hive's notation. */
const COLUMN_TYPES: Readonly<Record<ColumnType, string>> = {
  varchar: 'string',
  bigint: 'bigint',
  double: 'double',
  decimal: TRINO.types.decimal,
  boolean: 'boolean',
  timestamp: 'timestamp',
  date: 'date',
};

/**
 * Defines a view in the form in which Athena's CREATE VIEW stores it in Glue.
 *
 * @see https://github.com/trinodb/trino ViewReaderUtil, which reads this form
 */
export function viewTable(
  { name, description, columns, sql }: AthenaView,
  database: string,
): CfnTable.TableInputProperty {
  const definition = {
    originalSql: sql,
    catalog: 'awsdatacatalog',
    schema: database,
    columns: columns.map((column) => ({ name: column.name, type: TRINO.types[column.type] })),
    runAsInvoker: false,
    path: [],
  };
  return {
    name,
    description,
    tableType: 'VIRTUAL_VIEW',
    partitionKeys: [],
    parameters: { presto_view: 'true', comment: 'Presto View' },
    viewOriginalText: `/* Presto View: ${Buffer.from(JSON.stringify(definition)).toString('base64')} */`,
    viewExpandedText: '/* Presto View */',
    storageDescriptor: {
      columns: columns.map((column) => ({
        name: column.name,
        type: COLUMN_TYPES[column.type],
        comment: comment(column),
      })),
      serdeInfo: {},
    },
  };
}

/** Glue limits comments to 255 bytes. */
function comment({ name, description }: Column): string {
  if (Buffer.byteLength(description) > 255)
    throw new Error(`The description of ${name} is too long for Glue.`);
  return description;
}
