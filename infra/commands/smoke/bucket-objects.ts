import {
  DeleteObjectsCommand,
  GetBucketEncryptionCommand,
  ListObjectVersionsCommand,
  type ObjectIdentifier,
  type S3Client,
} from '@aws-sdk/client-s3';

/** How the bucket encrypts what is written to it, as DynamoDB has to be told. */
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

/** Up to a thousand objects under a prefix, in every version; markers of deletion are versions too. */
export async function listObjects(s3: S3Client, bucket: string, prefix: string): Promise<ObjectIdentifier[]> {
  const { Versions = [], DeleteMarkers = [] } = await s3.send(
    new ListObjectVersionsCommand({ Bucket: bucket, Prefix: prefix }),
  );
  return [...Versions, ...DeleteMarkers].map(({ Key, VersionId }) => ({ Key, VersionId }));
}

/** Deletes all objects under a prefix, in every version. Returns how many there were. */
export async function deleteObjects(s3: S3Client, bucket: string, prefix: string): Promise<number> {
  let deleted = 0;
  for (;;) {
    const objects = await listObjects(s3, bucket, prefix);
    if (objects.length === 0) return deleted;
    const { Errors = [] } = await s3.send(
      new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: objects, Quiet: true } }),
    );
    const [first] = Errors;
    if (first) throw new Error(`${first.Key} cannot be deleted: ${first.Code} ${first.Message}`);
    deleted += objects.length;
  }
}
