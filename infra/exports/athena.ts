import { CfnOutput, Stack, Validations } from 'aws-cdk-lib';
import { CfnNamedQuery, CfnWorkGroup } from 'aws-cdk-lib/aws-athena';
import { CfnDatabase, CfnTable } from 'aws-cdk-lib/aws-glue';
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { CHARGE_QUERIES } from '../analytics/charges/charge-queries.ts';
import { type Dialect, trino } from '../analytics/dialect.ts';
import { SAVED_QUERIES } from '../analytics/saved-queries.ts';
import type { Encryption } from '../constructs/encryption.ts';
import type { Settings } from '../settings.ts';
import { databaseName } from '../stack-outputs.ts';
import { CHARGES_PREFIX, EXPORTS_PREFIX, RESULTS_PREFIX } from './bucket-prefixes.ts';
import { athenaViews, chargeTable, fileTables, viewTable } from './glue-tables.ts';

export interface AthenaProps {
  settings: Settings;
  /** Contains the exports and the query results. */
  bucket: Bucket;
  encryption: Encryption;
  /** Whether the bucket contains charges, for which analysts then have views. */
  withCharges: boolean;
}

/** Lets analysts query the exports in Athena: tables, a workgroup, saved queries, and a policy to attach. */
export class Athena extends Construct {
  readonly #database: string;
  readonly #dialect: Dialect;

  constructor(scope: Construct, id: string, props: AthenaProps) {
    super(scope, id);
    this.#database = databaseName(Stack.of(this).stackName);
    this.#dialect = trino(props.settings.timeZone);
    const tables = this.#tables(props);
    const workgroup = this.#workgroup(props);
    this.#savedQueries(workgroup, props.withCharges);
    const policy = this.#analystPolicy(props, tables);
    new CfnOutput(this, 'WorkgroupName', {
      key: 'AthenaWorkgroup',
      value: workgroup.name,
      description: `Workgroup for analysts, who query the database ${this.#database}`,
    });
    new CfnOutput(this, 'PolicyArn', {
      key: 'AnalystPolicyArn',
      value: policy.managedPolicyArn,
      description: 'Policy for analysts; attach it to their role',
    });
  }

  /** Creates the database and its tables, and returns the tables. */
  #tables({ settings, bucket, withCharges }: AthenaProps): readonly CfnTable.TableInputProperty[] {
    const { account: catalogId, stackName } = Stack.of(this);
    const database = new CfnDatabase(this, 'Database', {
      catalogId,
      databaseInput: { name: this.#database, description: `Session records of ${stackName}` },
    });
    const location = {
      url: bucket.s3UrlForObject(EXPORTS_PREFIX),
      retentionDays: settings.exportRetentionDays,
    };
    const views = athenaViews(settings.fullExportDays, this.#dialect, withCharges).map((view) =>
      viewTable(view, this.#database),
    );
    const charges = withCharges ? [chargeTable(bucket.s3UrlForObject(CHARGES_PREFIX))] : [];
    const tables = [...fileTables(location), ...charges, ...views];
    for (const tableInput of tables) {
      const table = new CfnTable(this, `Table-${tableInput.name}`, {
        catalogId,
        databaseName: this.#database,
        tableInput,
      });
      table.addResourceDependency(database);
    }
    return tables;
  }

  #workgroup({ settings, bucket, encryption: { dataKey } }: AthenaProps): CfnWorkGroup {
    const { stackName } = Stack.of(this);
    return new CfnWorkGroup(this, 'Workgroup', {
      name: stackName,
      description: `Queries of the session records of ${stackName}`,
      recursiveDeleteOption: true,
      workGroupConfiguration: {
        enforceWorkGroupConfiguration: true,
        publishCloudWatchMetricsEnabled: true,
        bytesScannedCutoffPerQuery: settings.queryScanLimitGigabytes * 1e9,
        engineVersion: { selectedEngineVersion: 'Athena engine version 3' },
        resultConfiguration: {
          outputLocation: bucket.s3UrlForObject(RESULTS_PREFIX),
          encryptionConfiguration: dataKey
            ? { encryptionOption: 'SSE_KMS', kmsKey: dataKey.keyArn }
            : { encryptionOption: 'SSE_S3' },
        },
      },
    });
  }

  #savedQueries(workgroup: CfnWorkGroup, withCharges: boolean): void {
    for (const { name, question, sql } of [...SAVED_QUERIES, ...(withCharges ? CHARGE_QUERIES : [])]) {
      const query = new CfnNamedQuery(this, `Query-${name}`, {
        name,
        description: question,
        database: this.#database,
        queryString: sql(this.#dialect),
        workGroup: workgroup.name,
      });
      query.addResourceDependency(workgroup);
    }
  }

  #analystPolicy(
    { bucket, encryption: { key }, withCharges }: AthenaProps,
    tables: readonly CfnTable.TableInputProperty[],
  ): ManagedPolicy {
    const stack = Stack.of(this);
    const readable = [EXPORTS_PREFIX, ...(withCharges ? [CHARGES_PREFIX] : [])];
    const arns = (service: string, ...resources: string[]) =>
      resources.map((resource) => stack.formatArn({ service, resource }));
    const catalog = [
      'catalog',
      // Athena requires it. https://docs.aws.amazon.com/athena/latest/ug/fine-grained-access-to-glue-resources.html
      'database/default',
      `database/${this.#database}`,
      ...tables.map(({ name }) => `table/${this.#database}/${name}`),
    ];
    const policy = new ManagedPolicy(this, 'AnalystPolicy', {
      description: `Lets analysts query the session records of ${stack.stackName} in Athena`,
      statements: [
        allow(ATHENA_ACTIONS, arns('athena', `workgroup/${stack.stackName}`)),
        allow(CATALOG_ACTIONS, arns('athena', 'datacatalog/AwsDataCatalog')),
        allow(LIST_ACTIONS, ['*']),
        allow(
          ['glue:GetDatabase', 'glue:GetDatabases', 'glue:GetPartitions', 'glue:GetTable', 'glue:GetTables'],
          arns('glue', ...catalog),
        ),
        allow(['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'], [bucket.bucketArn]),
        allow(
          ['s3:GetObject'],
          readable.map((prefix) => bucket.arnForObjects(`${prefix}*`)),
        ),
        allow(
          ['s3:AbortMultipartUpload', 's3:GetObject', 's3:ListMultipartUploadParts', 's3:PutObject'],
          [bucket.arnForObjects(`${RESULTS_PREFIX}*`)],
        ),
        allow(['kms:Decrypt', 'kms:GenerateDataKey'], [key.keyArn]),
      ],
    });
    const bucketId = stack.resolve(bucket.bucketArn)['Fn::GetAtt'][0];
    for (const prefix of [...readable, RESULTS_PREFIX]) {
      Validations.of(policy).acknowledge({
        id: `AwsSolutions::AwsSolutions-IAM5[Resource::<${bucketId}.Arn>/${prefix}*]`,
        reason:
          'The names of the objects contain times, days and ids; all of them are under this prefix, and analysts may read each.',
      });
    }
    Validations.of(policy).acknowledge({
      id: 'AwsSolutions::AwsSolutions-IAM5[Resource::*]',
      reason:
        'The console lists workgroups, catalogs and engine versions. IAM has no resource types for these actions.',
    });
    return policy;
  }
}

function allow(actions: readonly string[], resources: string[]): PolicyStatement {
  return new PolicyStatement({ actions: [...actions], resources });
}

/** Run queries in a workgroup, and read their results and the saved queries. */
const ATHENA_ACTIONS = [
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
] as const;

/** Browse databases and tables in the console. */
const CATALOG_ACTIONS = [
  'athena:GetDataCatalog',
  'athena:GetDatabase',
  'athena:GetTableMetadata',
  'athena:ListDatabases',
  'athena:ListTableMetadata',
] as const;

/** Fill the menus of the console. IAM has no resource types for these actions. */
const LIST_ACTIONS = [
  'athena:ListDataCatalogs',
  'athena:ListEngineVersions',
  'athena:ListWorkGroups',
] as const;
