import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import type { Encryption } from '../constructs/encryption.ts';
import type { Settings } from '../settings.ts';
import {
  CHARGES_PREFIX,
  EXPORTS_PREFIX,
  RECONCILIATION_PREFIX,
  RESULTS_PREFIX,
  RESULTS_RETENTION_DAYS,
} from './bucket-prefixes.ts';

export interface ExportBucketProps {
  settings: Settings;
  encryption: Encryption;
}

/** The bucket of the exports, of Athena's results, and of the rows of 8x8's log export. */
export class ExportBucket extends Bucket {
  constructor(scope: Construct, id: string, { settings, encryption: { dataKey } }: ExportBucketProps) {
    const retention = Duration.days(settings.exportRetentionDays);
    super(scope, id, {
      ...(dataKey
        ? { encryption: BucketEncryption.KMS, encryptionKey: dataKey, bucketKeyEnabled: true }
        : { encryption: BucketEncryption.S3_MANAGED }),
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      versioned: settings.exportVersioning,
      lifecycleRules: [
        {
          id: 'exports',
          prefix: EXPORTS_PREFIX,
          expiration: retention,
          noncurrentVersionExpiration: retention,
        },
        {
          id: 'results',
          prefix: RESULTS_PREFIX,
          expiration: Duration.days(RESULTS_RETENTION_DAYS),
          noncurrentVersionExpiration: Duration.days(1),
        },
        // Also without reconciliation: the rows that it has kept contain phone numbers, and have to expire.
        {
          id: 'charges',
          prefix: CHARGES_PREFIX,
          expiration: retention,
          noncurrentVersionExpiration: retention,
        },
        {
          id: 'reconciliation-results',
          prefix: `${RECONCILIATION_PREFIX}results/`,
          expiration: retention,
          noncurrentVersionExpiration: retention,
        },
        // The state itself never expires. Only a versioned bucket has others.
        {
          id: 'reconciliation-state',
          prefix: `${RECONCILIATION_PREFIX}state/`,
          noncurrentVersionExpiration: retention,
        },
        { id: 'uploads', abortIncompleteMultipartUploadAfter: Duration.days(1) },
      ],
      // CloudFormation cannot delete a bucket that is not empty. Its objects expire.
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    Validations.of(this).acknowledge({
      id: 'AwsSolutions::AwsSolutions-S1',
      reason:
        'CloudTrail data events of the account show who reads the bucket. Access logs would need a second bucket.',
    });
  }
}
