import { CfnOutput, Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { Encryption } from '../constructs/encryption.ts';
import { FunctionSchedule } from '../constructs/function-schedule.ts';
import { NodeFunction } from '../constructs/node-function.ts';
import type { Settings } from '../settings.ts';
import { EXPORTS_PREFIX, RESULTS_PREFIX, RESULTS_RETENTION_DAYS } from './bucket-prefixes.ts';

export interface ExportsProps {
  settings: Settings;
  table: Table;
  encryption: Encryption;
}

/** Exports the table to S3 every day. A function starts the exports; DynamoDB makes them from its backups. */
export class Exports extends Construct {
  readonly bucket: Bucket;
  /** Starts the exports that are due, and measures the age of the exported data. */
  readonly function: NodeFunction;

  constructor(scope: Construct, id: string, props: ExportsProps) {
    super(scope, id);
    const { settings, encryption } = props;
    this.bucket = this.#bucket(settings, encryption.dataKey);
    this.function = this.#function(props);
    this.#allowExports(props);
    new FunctionSchedule(this, 'Schedule', {
      target: this.function,
      description: 'Starts the exports that are due, and measures the age of the exported data',
      minutes: 60,
      event: {},
    });
    new CfnOutput(this, 'BucketName', {
      key: 'ExportBucketName',
      value: this.bucket.bucketName,
      description: `Exports of the table, under ${EXPORTS_PREFIX}`,
    });
  }

  #bucket({ exportRetentionDays, exportVersioning }: Settings, dataKey: Key | undefined): Bucket {
    const bucket = new Bucket(this, 'Bucket', {
      ...(dataKey
        ? { encryption: BucketEncryption.KMS, encryptionKey: dataKey, bucketKeyEnabled: true }
        : { encryption: BucketEncryption.S3_MANAGED }),
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      versioned: exportVersioning,
      lifecycleRules: [
        {
          id: 'exports',
          prefix: EXPORTS_PREFIX,
          expiration: Duration.days(exportRetentionDays),
          noncurrentVersionExpiration: Duration.days(exportRetentionDays),
        },
        {
          id: 'results',
          prefix: RESULTS_PREFIX,
          expiration: Duration.days(RESULTS_RETENTION_DAYS),
          noncurrentVersionExpiration: Duration.days(1),
        },
        { id: 'uploads', abortIncompleteMultipartUploadAfter: Duration.days(1) },
      ],
      // CloudFormation cannot delete a bucket that is not empty. Its objects expire.
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    Validations.of(bucket).acknowledge({
      id: 'AwsSolutions::AwsSolutions-S1',
      reason:
        'CloudTrail data events of the account show who reads the bucket. Access logs would need a second bucket.',
    });
    return bucket;
  }

  #function({ settings, table, encryption: { dataKey } }: ExportsProps): NodeFunction {
    return new NodeFunction(this, 'Function', {
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
  }

  /** DynamoDB writes an export with the permissions of the function that starts it. */
  #allowExports({ table, encryption: { key } }: ExportsProps): void {
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
      this.function.addToRolePolicy(new PolicyStatement({ actions, resources: [resource] }));
    // The key of the table is also that of the bucket.
    key.grant(this.function, 'kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKey');
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
