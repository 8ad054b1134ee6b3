import { createReadStream, fstatSync } from 'node:fs';
import { GetObjectCommand, NoSuchKey, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { withDeadline } from '../client-settings.ts';

/** The objects of the bucket. */
export interface Objects {
  /** The parsed content of an object; undefined if there is none. */
  readJson(key: string): Promise<unknown>;
  writeJson(key: string, value: unknown): Promise<void>;
  /** Stores an open file, from its beginning. */
  writeFile(key: string, fileDescriptor: number): Promise<void>;
}

export function objects(client: S3Client, bucket: string): Objects {
  return {
    async readJson(key) {
      try {
        const command = new GetObjectCommand({ Bucket: bucket, Key: key });
        const { Body } = await withDeadline(client.send(command));
        return JSON.parse((await Body?.transformToString()) ?? '');
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        throw error;
      }
    },
    async writeJson(key, value) {
      const command = new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: JSON.stringify(value),
        ContentType: 'application/json',
      });
      await withDeadline(client.send(command));
    },
    async writeFile(key, fd) {
      const { size } = fstatSync(fd);
      const Body = createReadStream('', { fd, start: 0, autoClose: false });
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body, ContentLength: size }));
    },
  };
}

/** A sub-account id as part of a key: `&` is the only character of these ids that keys should not contain. */
export function keyPart(subAccountId: string): string {
  return subAccountId.replaceAll('&', '(amp)');
}
