import type { CfnTable } from 'aws-cdk-lib/aws-glue';
import { type ColumnType, TRINO } from '../analytics/dialect.ts';
import { HIVE_TYPES, itemType, namesIn, RECORD } from '../analytics/stored-record.ts';
import { type Column, columnsOf, selectOf } from '../analytics/view.ts';
import { EXPORT_COLUMNS, EXPORTS_COLUMNS, VIEWS, VIEWS_WITH_HISTORY } from '../analytics/views.ts';

/** The Glue table over the files of all exports. Each line is a record or, in a manifest, the name of a data file. */
const EXPORT_FILES = 'export_files';

export interface ExportLocation {
  /** `s3://BUCKET/exports/`. Below it, each export is under the time for which it was scheduled. */
  url: string;
  /** Retention of the exports, in days. */
  retentionDays: number;
}

/**
 * Defines the table over the files of the exports. Athena computes its partitions: one per full hour.
 *
 * @see https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
 */
export function exportFiles({ url, retentionDays }: ExportLocation): CfnTable.TableInputProperty {
  // Matching is case-sensitive, because Athena fails on a record with two names that differ only in case. Glue
  // lower-cases column names, so each name with an upper-case letter needs a mapping.
  const names = ['Item', 'itemCount', 'dataFileS3Key', ...namesIn(RECORD)].filter(
    (name) => name !== name.toLowerCase(),
  );
  return {
    name: EXPORT_FILES,
    description: 'Files of the exports as DynamoDB writes them; the views read this table',
    tableType: 'EXTERNAL_TABLE',
    partitionKeys: [{ name: 'export_time', type: 'string' }],
    parameters: {
      EXTERNAL: 'TRUE',
      classification: 'json',
      compressionType: 'gzip',
      'projection.enabled': 'true',
      'projection.export_time.type': 'date',
      'projection.export_time.format': "yyyy-MM-dd'T'HH':00:00Z'",
      'projection.export_time.range': `NOW-${retentionDays + 1}DAYS,NOW`,
      'projection.export_time.interval': '1',
      'projection.export_time.interval.unit': 'HOURS',
      'storage.location.template': `${url}\${export_time}/AWSDynamoDB/`,
    },
    storageDescriptor: {
      location: url,
      inputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
      outputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
      columns: [
        {
          name: 'item',
          type: itemType(RECORD, HIVE_TYPES),
          comment: 'a record; null in the lines of a manifest',
        },
        { name: 'itemcount', type: 'bigint', comment: 'in a manifest: the number of records in a data file' },
        { name: 'datafiles3key', type: 'string', comment: 'in a manifest: the key of the data file' },
      ],
      serdeInfo: {
        serializationLibrary: 'org.openx.data.jsonserde.JsonSerDe',
        parameters: {
          'serialization.format': '1',
          'case.insensitive': 'FALSE',
          ...Object.fromEntries(names.map((name) => [`mapping.${name.toLowerCase()}`, name])),
          // Skips the checksum files and the manifest summary, whose lines are not JSON.
          'ignore.malformed.json': 'TRUE',
        },
      },
    },
  };
}

const EXPORT_ID = `regexp_extract("$path", '/AWSDynamoDB/([^/]+)/', 1) AS export_id`;

/** The records of all exports. */
const RECORDS = `(SELECT item, export_time, ${EXPORT_ID} FROM ${EXPORT_FILES} WHERE item.sessionId.S IS NOT NULL) AS records`;

/**
 * The complete full exports. The manifest lists the data files with their checksums, so DynamoDB writes it last. The
 * data files of an incremental export have a different path.
 */
const EXPORTS = `SELECT CAST(export_time AS varchar) AS export_time, CAST(export_id AS varchar) AS export_id, CAST(sum(itemcount) AS bigint) AS item_count
FROM (SELECT export_time, itemcount, datafiles3key, ${EXPORT_ID} FROM ${EXPORT_FILES} WHERE datafiles3key IS NOT NULL) AS files
WHERE datafiles3key LIKE '%/' || export_id || '/data/%'
GROUP BY export_time, export_id`;

/** How many days back the views look for the newest export. To find it, a query reads every export of these days. */
const DAYS = 3;

const RECENT = `export_time >= date_format(at_timezone(current_timestamp, 'UTC') - INTERVAL '${DAYS}' DAY, '%Y-%m-%dT%H:00:00Z')`;

/** The records of the newest complete export. */
const NEWEST_RECORDS = `(SELECT item FROM ${RECORDS} WHERE ${RECENT} AND export_id = (SELECT max(export_id) FROM exports WHERE ${RECENT})) AS newest_records`;

/** The views in Athena. */
export const ATHENA_VIEWS: readonly AthenaView[] = [
  {
    name: 'exports',
    description: 'One row per complete full export',
    columns: EXPORTS_COLUMNS,
    sql: EXPORTS,
  },
  ...VIEWS.map((view) => ({
    name: view.name,
    description: `${view.description}, as of the newest export of the last ${DAYS} days`,
    columns: columnsOf(view),
    sql: selectOf(view, TRINO, NEWEST_RECORDS),
  })),
  ...VIEWS_WITH_HISTORY.map((view) => ({
    name: `${view.name}_history`,
    description: `${view.description} and export`,
    columns: [...EXPORT_COLUMNS, ...columnsOf(view)],
    sql: selectOf(view, TRINO, RECORDS, EXPORT_COLUMNS),
  })),
];

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
