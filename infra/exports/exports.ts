import { CfnOutput, Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { CfnSchedule, CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import type { Encryption } from '../constructs/encryption.ts';
import type { Settings } from '../settings.ts';
import { EXPORTS_PREFIX, RESULTS_PREFIX, RESULTS_RETENTION_DAYS } from './bucket-prefixes.ts';

export interface ExportsProps {
  settings: Settings;
  table: Table;
  encryption: Encryption;
}

/** Exports the table to S3 daily. EventBridge Scheduler requests an export; DynamoDB creates it from its backups. */
export class Exports extends Construct {
  readonly bucket: Bucket;
  /** Counts requests for an export that DynamoDB rejected. */
  readonly refused: Metric;
  /** Counts exports that EventBridge Scheduler gave up starting. */
  readonly dropped: Metric;

  constructor(scope: Construct, id: string, { settings, table, encryption }: ExportsProps) {
    super(scope, id);
    const { key, dataKey } = encryption;
    this.bucket = this.#bucket(settings, dataKey);
    const group = new CfnScheduleGroup(this, 'Group', { name: `${Stack.of(this).stackName}-exports` });
    const scheduledTime = '<aws.scheduler.scheduled-time>';
    const input = {
      TableArn: table.tableArn,
      S3Bucket: this.bucket.bucketName,
      S3Prefix: `${EXPORTS_PREFIX}${scheduledTime}`,
      ...(dataKey ? { S3SseAlgorithm: 'KMS', S3SseKmsKeyId: dataKey.keyArn } : { S3SseAlgorithm: 'AES256' }),
      ExportFormat: 'DYNAMODB_JSON',
      // The scheduler delivers at least once. Requests with the same token start only one export.
      ClientToken: `${Stack.of(this).stackName}/${scheduledTime}`,
    };
    new CfnSchedule(this, 'Schedule', {
      description: 'Exports the session records to S3',
      groupName: group.ref,
      // On the full hour, because the partitions of the table in Athena are hours (glue-tables.ts).
      scheduleExpression: `cron(0 ${settings.exportHour} * * ? *)`,
      scheduleExpressionTimezone: 'UTC',
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: `arn:${Stack.of(this).partition}:scheduler:::aws-sdk:dynamodb:exportTableToPointInTime`,
        roleArn: this.#role(table, key).roleArn,
        input: Stack.of(this).toJsonString(input),
        // Shorter than the eight hours for which DynamoDB remembers the token.
        retryPolicy: { maximumRetryAttempts: 10, maximumEventAgeInSeconds: Duration.hours(4).toSeconds() },
      },
    });

    const countedMetric = (metricName: string) =>
      new Metric({
        namespace: 'AWS/Scheduler',
        metricName,
        dimensionsMap: { ScheduleGroup: group.ref },
        statistic: 'Sum',
        period: Duration.minutes(5),
      });
    this.refused = countedMetric('TargetErrorCount');
    this.dropped = countedMetric('InvocationDroppedCount');
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

  /** The role that requests exports. DynamoDB uses the permissions of the requester to write them. */
  #role(table: Table, key: Key): Role {
    const objects = this.bucket.arnForObjects(`${EXPORTS_PREFIX}*`);
    const role = new Role(this, 'ScheduleRole', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
      inlinePolicies: {
        Export: new PolicyDocument({
          statements: [
            new PolicyStatement({
              actions: ['dynamodb:ExportTableToPointInTime'],
              resources: [table.tableArn],
            }),
            new PolicyStatement({
              actions: ['s3:AbortMultipartUpload', 's3:PutObject', 's3:PutObjectAcl'],
              resources: [objects],
            }),
          ],
        }),
      },
    });
    // Covers reading the table and writing to the bucket: the same key encrypts both.
    key.grant(role, 'kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKey');
    Validations.of(role).acknowledge({
      id: `AwsSolutions::AwsSolutions-IAM5[Resource::<${Stack.of(this).resolve(this.bucket.bucketArn)['Fn::GetAtt'][0]}.Arn>/${EXPORTS_PREFIX}*]`,
      reason: 'DynamoDB chooses the names of the objects in an export; all of them are under this prefix.',
    });
    return role;
  }
}
