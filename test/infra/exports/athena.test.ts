import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { describe, expect, it } from 'vitest';
import { CHARGE_QUERIES } from '../../../infra/analytics/charges/charge-queries.ts';
import { CHARGE_VIEWS } from '../../../infra/analytics/charges/charge-views.ts';
import { trino } from '../../../infra/analytics/dialect.ts';
import { SAVED_QUERIES } from '../../../infra/analytics/saved-queries.ts';
import { Encryption } from '../../../infra/constructs/encryption.ts';
import { Athena } from '../../../infra/exports/athena.ts';
import { athenaViews } from '../../../infra/exports/glue-tables.ts';
import { readStage } from '../../../infra/stages.ts';
import { localSettings, onlyOf, templateOf } from '../templates.ts';

const template = templateOf();
const QUERIES = [...SAVED_QUERIES, ...CHARGE_QUERIES];
const ATHENA_VIEWS = athenaViews(7, trino('UTC'), true);
const customized = templateOf({
  customerManagedKey: true,
  exportRetentionDays: 14,
  fullExportDays: 3,
  queryScanLimitGigabytes: 5,
});
const only = onlyOf(template);
const bucket = { Ref: only('AWS::S3::Bucket').id };
const bucketArn = { 'Fn::GetAtt': [bucket.Ref, 'Arn'] };
const inBucket = (prefix: string) => ({ 'Fn::Join': ['', ['s3://', bucket, `/${prefix}`]] });

/** The properties of a Glue table. */
const table = (name: string, of = template) =>
  onlyOf(of)('AWS::Glue::Table', { TableInput: { Name: name } }).properties;

describe('the table over the exported files', () => {
  const { TableInput, DatabaseName } = table('export_files');

  it('is in the database of the stage', () => {
    expect(only('AWS::Glue::Database').properties.DatabaseInput.Name).toBe('stack');
    expect(DatabaseName).toBe('stack');
  });

  it('projects a partition for each full hour of the retention period', () => {
    expect(TableInput.PartitionKeys).toEqual([{ Name: 'export_time', Type: 'string' }]);
    expect(TableInput.Parameters).toMatchObject({
      'projection.enabled': 'true',
      'projection.export_time.type': 'date',
      'projection.export_time.format': "yyyy-MM-dd'T'HH'Z'",
      'projection.export_time.range': 'NOW-31DAYS,NOW',
      'projection.export_time.interval': '1',
      'projection.export_time.interval.unit': 'HOURS',
      'storage.location.template': inBucket(`exports/\${export_time}/AWSDynamoDB/`),
    });
    expect(table('export_files', customized).TableInput.Parameters['projection.export_time.range']).toBe(
      'NOW-15DAYS,NOW',
    );
  });

  it('reads DynamoDB’s JSON with case-sensitive names, and skips lines that are not JSON', () => {
    const { Columns, SerdeInfo, Location } = TableInput.StorageDescriptor;
    const type: string = Columns[0].Type;
    const names = new Set(type.match(/\w+(?=:)/g));

    expect(Location).toEqual(inBucket('exports/'));
    expect(SerdeInfo.SerializationLibrary).toBe('org.openx.data.jsonserde.JsonSerDe');
    expect(SerdeInfo.Parameters).toMatchObject({
      'ignore.malformed.json': 'TRUE',
      'case.insensitive': 'FALSE',
      'mapping.item': 'Item',
      'mapping.s': 'S',
      'mapping.n': 'N',
      'mapping.l': 'L',
      'mapping.m': 'M',
      'mapping.sessionid': 'sessionId',
      'mapping.packetlossrate': 'packetLossRate',
      'mapping.datafiles3key': 'dataFileS3Key',
    });
    // Every name in the type is stored in lower case or has a mapping.
    const { Parameters } = SerdeInfo;
    const stored = [...names].map((name) => Parameters[`mapping.${name}`] ?? name);
    expect(stored).toEqual(
      expect.arrayContaining(['sessionId', 'callQuality', 'mos', 'leg', 'source', 'alternates']),
    );
    expect(stored.map((name) => name.toLowerCase())).toEqual([...names]);
    expect(type).toMatch(
      /^struct<sessionid:struct<s:string>,.*unrecognised:struct<m:map<string,string>>.*>$/,
    );
    expect(type.length).toBeLessThan(131_072);
    expect(Columns.map(({ Name }: { Name: string }) => Name)).toEqual(['item', 'itemcount', 'datafiles3key']);
  });
});

describe('the views', () => {
  it('are stored in Athena’s format, with the columns and types of their query', () => {
    expect(ATHENA_VIEWS.length).toBeGreaterThan(8);
    for (const { name, sql, columns } of ATHENA_VIEWS) {
      const { TableInput, DatabaseName } = table(name);
      const [, encoded = ''] = /^\/\* Presto View: (\S+) \*\/$/.exec(TableInput.ViewOriginalText) ?? [];
      const view = JSON.parse(Buffer.from(encoded, 'base64').toString());

      expect(TableInput).toMatchObject({
        TableType: 'VIRTUAL_VIEW',
        Parameters: { presto_view: 'true', comment: 'Presto View' },
        ViewExpandedText: '/* Presto View */',
      });
      expect(TableInput.ViewOriginalText.length).toBeLessThan(409_600);
      expect(view).toMatchObject({ originalSql: sql, catalog: 'awsdatacatalog', schema: DatabaseName });
      expect(view.columns.map((column: { name: string }) => column.name)).toEqual(
        columns.map((column) => column.name),
      );
      for (const { Name, Type, Comment } of TableInput.StorageDescriptor.Columns) {
        const { type } = view.columns.find((column: { name: string }) => column.name === Name);
        expect([Name, Type]).toEqual([Name, type.replace('varchar', 'string').replace('(3)', '')]);
        expect(Comment.length).toBeLessThanOrEqual(255);
      }
    }
  });

  it('read only the days that can contain the newest full export, except those with history', () => {
    const recentOf = (days: number) =>
      `export_time >= date_format(at_timezone(current_timestamp, 'UTC') - INTERVAL '${days}' DAY, '%Y-%m-%dT%HZ')`;
    const unlimited = (sql: string) =>
      sql.match(/FROM (export_files|change_files|exports)\b(?!.*export_time >=)/g);

    for (const fullExportDays of [1, 7]) {
      for (const { name, sql } of athenaViews(fullExportDays, trino('UTC'), true).filter(
        ({ name }) => name !== 'exports',
      )) {
        if (CHARGE_VIEWS.some((view) => view.name === name)) continue;
        const isHistory = name.endsWith('_history') || name === 'session_changes';
        expect([name, sql.includes(recentOf(fullExportDays + 2))]).toEqual([name, !isHistory]);
        const scans = sql
          .split('WITH newest')
          .slice(1)
          .map((part) => part.replaceAll('\n', ' '));
        for (const scan of scans) expect(unlimited(scan)).toBeNull();
      }
    }
  });

  it('read each full export once for the changes of sessions', () => {
    const { sql = '' } = ATHENA_VIEWS.find(({ name }) => name === 'session_changes') ?? {};

    expect(sql.match(/\bexport_files\b/g)).toEqual(['export_files']);
  });

  it('count an export as complete when its manifest lists its own data files, as only a full export does', () => {
    const { sql } = ATHENA_VIEWS.find(({ name }) => name === 'exports') ?? {};

    expect(sql).toContain('WHERE datafiles3key IS NOT NULL');
    expect(sql).toContain("WHERE datafiles3key LIKE '%/' || export_id || '/data/%'");
  });

  it('are created after the database', () => {
    const { id } = only('AWS::Glue::Database');
    for (const { DependsOn } of Object.values(template.findResources('AWS::Glue::Table')))
      expect([DependsOn].flat()).toContain(id);
  });
});

describe('without reconciliation', () => {
  const { settings } = readStage({ test: localSettings }, 'test');
  const stack = new Stack(new App({ builtinCloudFormationValidation: false }), 'without');
  const bucket = new Bucket(stack, 'Bucket');
  new Athena(stack, 'Athena', {
    settings,
    bucket,
    encryption: new Encryption(stack, 'Key', settings),
    withCharges: false,
  });
  const without = JSON.stringify(Template.fromStack(stack).toJSON());

  it('there are no tables, views, queries and permissions for charges', () => {
    expect(without).toContain('call_legs');
    expect(without).not.toMatch(/charge/i);
  });
});

describe('the workgroup', () => {
  it('encrypts results and cancels queries above the scan limit, and clients cannot override either', () => {
    expect(only('AWS::Athena::WorkGroup').properties).toMatchObject({
      Name: 'stack',
      RecursiveDeleteOption: true,
      WorkGroupConfiguration: {
        EnforceWorkGroupConfiguration: true,
        BytesScannedCutoffPerQuery: 100_000_000_000,
        EngineVersion: { SelectedEngineVersion: 'Athena engine version 3' },
        ResultConfiguration: {
          OutputLocation: inBucket('results/'),
          EncryptionConfiguration: { EncryptionOption: 'SSE_S3' },
        },
      },
    });
    expect(onlyOf(customized)('AWS::Athena::WorkGroup').properties.WorkGroupConfiguration).toMatchObject({
      BytesScannedCutoffPerQuery: 5_000_000_000,
      ResultConfiguration: {
        EncryptionConfiguration: {
          EncryptionOption: 'SSE_KMS',
          KmsKey: { 'Fn::GetAtt': [onlyOf(customized)('AWS::KMS::Key').id, 'Arn'] },
        },
      },
    });
  });

  it('has exactly the saved queries', () => {
    const queries = Object.values(template.findResources('AWS::Athena::NamedQuery')).map(
      ({ Properties }) => Properties,
    );

    expect(
      queries.map(({ Name, Description, QueryString, Database, WorkGroup }) => [
        Name,
        Description,
        QueryString,
        Database,
        WorkGroup,
      ]),
    ).toEqual(
      expect.arrayContaining(
        QUERIES.map(({ name, question, sql }) => [name, question, sql(trino('UTC')), 'stack', 'stack']),
      ),
    );
    expect(queries).toHaveLength(QUERIES.length);
  });
});

describe('the policy for analysts', () => {
  const arn = (service: string, resource: string) => ({
    'Fn::Join': [
      '',
      [
        'arn:',
        { Ref: 'AWS::Partition' },
        `:${service}:`,
        { Ref: 'AWS::Region' },
        ':',
        { Ref: 'AWS::AccountId' },
        `:${resource}`,
      ],
    ],
  });
  const statements = (of: typeof template) =>
    onlyOf(of)('AWS::IAM::ManagedPolicy').properties.PolicyDocument.Statement;

  it('allows them to read exports, and to read and write results, only in this workgroup and database', () => {
    expect(statements(template)).toEqual([
      {
        Effect: 'Allow',
        Action: [
          'athena:BatchGetNamedQuery',
          'athena:BatchGetQueryExecution',
          'athena:GetNamedQuery',
          'athena:GetQueryExecution',
          'athena:GetQueryResults',
          'athena:GetQueryResultsStream',
          'athena:GetWorkGroup',
          'athena:ListNamedQueries',
          'athena:ListQueryExecutions',
          'athena:StartQueryExecution',
          'athena:StopQueryExecution',
        ],
        Resource: arn('athena', 'workgroup/stack'),
      },
      {
        Effect: 'Allow',
        Action: [
          'athena:GetDataCatalog',
          'athena:GetDatabase',
          'athena:GetTableMetadata',
          'athena:ListDatabases',
          'athena:ListTableMetadata',
        ],
        Resource: arn('athena', 'datacatalog/AwsDataCatalog'),
      },
      {
        Effect: 'Allow',
        Action: ['athena:ListDataCatalogs', 'athena:ListEngineVersions', 'athena:ListWorkGroups'],
        Resource: '*',
      },
      {
        Effect: 'Allow',
        Action: [
          'glue:GetDatabase',
          'glue:GetDatabases',
          'glue:GetPartitions',
          'glue:GetTable',
          'glue:GetTables',
        ],
        Resource: [
          'catalog',
          'database/default',
          'database/stack',
          'table/stack/export_files',
          'table/stack/change_files',
          'table/stack/charge_files',
          ...ATHENA_VIEWS.map(({ name }) => `table/stack/${name}`),
        ]
          .map((resource) => arn('glue', resource))
          .toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
      },
      {
        Effect: 'Allow',
        Action: ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'],
        Resource: bucketArn,
      },
      {
        Effect: 'Allow',
        Action: 's3:GetObject',
        Resource: ['/charges/*', '/exports/*'].map((path) => ({ 'Fn::Join': ['', [bucketArn, path]] })),
      },
      {
        Effect: 'Allow',
        Action: ['s3:AbortMultipartUpload', 's3:GetObject', 's3:ListMultipartUploadParts', 's3:PutObject'],
        Resource: { 'Fn::Join': ['', [bucketArn, '/results/*']] },
      },
      // Needed even without customerManagedKey: exports that the key encrypted stay encrypted with it.
      {
        Effect: 'Allow',
        Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
        Resource: { 'Fn::GetAtt': [only('AWS::KMS::Key').id, 'Arn'] },
      },
    ]);
  });

  it('is an output of the stack', () => {
    expect(template.findOutputs('AnalystPolicyArn')['AnalystPolicyArn']?.['Value']).toEqual({
      Ref: only('AWS::IAM::ManagedPolicy').id,
    });
  });
});
