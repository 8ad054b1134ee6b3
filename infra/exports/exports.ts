import { CfnOutput, Duration, Stack, Validations } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { Encryption } from '../constructs/encryption.ts';
import { FunctionSchedule } from '../constructs/function-schedule.ts';
import { NodeFunction } from '../constructs/node-function.ts';
import type { Settings } from '../settings.ts';
import { CHARGES_PREFIX, EXPORTS_PREFIX } from './bucket-prefixes.ts';
import { ExportBucket } from './export-bucket.ts';

export interface ExportsProps {
  settings: Settings;
  table: Table;
  encryption: Encryption;
}

/**
 * The bucket and, with the setting `exports`, the daily exports of the table to it. A function starts the exports;
 * DynamoDB makes them from its backups.
 */
export class Exports extends Construct {
  readonly bucket: Bucket;
  /** Starts the exports that are due, and measures the age of the exported data. Undefined without `exports`. */
  readonly function: NodeFunction | undefined;

  constructor(scope: Construct, id: string, props: ExportsProps) {
    super(scope, id);
    const { exports, reconciliation, exportRetentionDays, exportVersioning } = props.settings;
    this.bucket = new ExportBucket(this, 'Bucket', props);
    this.function = exports ? this.#function(props) : undefined;
    const contents = [
      ...(exports ? [`Exports of the table, under ${EXPORTS_PREFIX}`] : []),
      ...(reconciliation === 'off' ? [] : [`Rows of 8x8's log export, under ${CHARGES_PREFIX}`]),
    ];
    new CfnOutput(this, 'BucketName', {
      key: 'ExportBucketName',
      value: this.bucket.bucketName,
      description: contents.join('. '),
    });
    new CfnOutput(this, 'RetentionDays', {
      key: 'ExportRetentionDays',
      // A version of an object expires as long after the object as the object after its creation.
      value: String(exportRetentionDays * (exportVersioning ? 2 : 1)),
      description: 'Days until an object of that bucket is deleted for good',
    });
  }

  #function(props: ExportsProps): NodeFunction {
    const {
      settings,
      table,
      encryption: { dataKey },
    } = props;
    const starter = new NodeFunction(this, 'Function', {
      folder: 'exports',
      description: 'Starts the exports of the session records, and measures their age',
      timeout: Duration.minutes(1),
      environment: {
        TABLE_ARN: table.tableArn,
        BUCKET_NAME: this.bucket.bucketName,
        EXPORTS_PREFIX,
        EXPORT_HOUR: String(settings.exportHour),
        FULL_EXPORT_DAYS: String(settings.fullExportDays),
        ...(dataKey && { KEY_ARN: dataKey.keyArn }),
      },
    });
    this.#allowExports(starter, props);
    new FunctionSchedule(this, 'Schedule', {
      target: starter,
      description: 'Starts the exports that are due, and measures the age of the exported data',
      minutes: 60,
      event: {},
    });
    return starter;
  }

  /** DynamoDB writes an export with the permissions of the function that starts it. */
  #allowExports(starter: NodeFunction, { table, encryption: { key } }: ExportsProps): void {
    const stack = Stack.of(this);
    const objects = this.bucket.arnForObjects(`${EXPORTS_PREFIX}*`);
    const statements: [actions: string[], resource: string][] = [
      // AWS documents this action both without a resource type and with the table: only * is right in both cases.
      [['dynamodb:ListExports'], '*'],
      [['dynamodb:DescribeTable', 'dynamodb:ExportTableToPointInTime'], table.tableArn],
      [['dynamodb:DescribeExport'], `${table.tableArn}/export/*`],
      [['s3:AbortMultipartUpload', 's3:PutObject', 's3:PutObjectAcl'], objects],
    ];
    for (const [actions, resource] of statements)
      starter.addToRolePolicy(new PolicyStatement({ actions, resources: [resource] }));
    // The key of the table is also that of the bucket.
    key.grant(starter, 'kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKey');
    const logicalId = (arn: string) => stack.resolve(arn)['Fn::GetAtt'][0];
    Validations.of(this.node.findChild('FunctionRole')).acknowledge(
      {
        id: 'AwsSolutions::AwsSolutions-IAM5[Resource::*]',
        reason:
          'AWS documents ListExports both without a resource type and with the table: only * is right in both cases. It shows only the ARNs, types and states of exports.',
      },
      {
        id: `AwsSolutions::AwsSolutions-IAM5[Resource::<${logicalId(table.tableArn)}.Arn>/export/*]`,
        reason: 'DynamoDB assigns the ids of exports. The function may describe each export of the table.',
      },
      {
        id: `AwsSolutions::AwsSolutions-IAM5[Resource::<${logicalId(this.bucket.bucketArn)}.Arn>/${EXPORTS_PREFIX}*]`,
        reason: 'DynamoDB chooses the names of the objects of an export, all of them under this prefix.',
      },
    );
  }
}
