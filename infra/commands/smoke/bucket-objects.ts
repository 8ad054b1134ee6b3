import {
  DeleteObjectsCommand,
  GetBucketEncryptionCommand,
  ListObjectVersionsCommand,
  type ObjectIdentifier,
  type S3Client,
} from '@aws-sdk/client-s3';

/** The default encryption of the bucket, as parameters for a DynamoDB export. */
export async function encryptionOf(s3: S3Client, bucket: string) {
  const { ServerSideEncryptionConfiguration } = await s3.send(
    new GetBucketEncryptionCommand({ Bucket: bucket }),
  );
  const { SSEAlgorithm, KMSMasterKeyID } =
    ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault ?? {};
  return SSEAlgorithm === 'aws:kms'
    ? ({ S3SseAlgorithm: 'KMS', S3SseKmsKeyId: KMSMasterKeyID } as const)
    : ({ S3SseAlgorithm: 'AES256' } as const);
}

/** Lists up to 1,000 object versions and delete markers under a prefix. */
export async function listObjects(s3: S3Client, bucket: string, prefix: string): Promise<ObjectIdentifier[]> {
  const { Versions = [], DeleteMarkers = [] } = await s3.send(
    new ListObjectVersionsCommand({ Bucket: bucket, Prefix: prefix }),
  );
  return [...Versions, ...DeleteMarkers].map(({ Key, VersionId }) => ({ Key, VersionId }));
}

/** Deletes all object versions and delete markers under a prefix. Returns their number. */
export async function deleteObjects(s3: S3Client, bucket: string, prefix: string): Promise<number> {
  let deleted = 0;
  for (;;) {
    const objects = await listObjects(s3, bucket, prefix);
    if (objects.length === 0) return deleted;
    const { Errors = [] } = await s3.send(
      new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: objects, Quiet: true } }),
    );
    const [first] = Errors;
    if (first) throw new Error(`Cannot delete ${first.Key}: ${first.Code} ${first.Message}`);
    deleted += objects.length;
  }
}
