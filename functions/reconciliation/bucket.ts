import { createReadStream, fstatSync } from 'node:fs';
import {
  GetObjectCommand,
  HeadObjectCommand,
  NoSuchKey,
  NotFound,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { withDeadline } from '../client-settings.ts';

/** The objects of the bucket. */
export interface Objects {
  /** The parsed content of an object; undefined if there is none, null if it is not JSON. */
  readJson(key: string): Promise<unknown>;
  writeJson(key: string, value: unknown): Promise<void>;
  /** Stores an open file, from its beginning, and its number of rows, copies not counted. */
  writeRows(key: string, fileDescriptor: number, rows: number): Promise<void>;
  /** The number of rows with which an object was stored; 0 if there is none, or if it is unknown. */
  rowsOf(key: string): Promise<number>;
}

export function objects(client: S3Client, bucket: string): Objects {
  const object = (Key: string) => ({ Bucket: bucket, Key });
  return {
    async readJson(key) {
      try {
        const { Body } = await withDeadline(client.send(new GetObjectCommand(object(key))));
        return JSON.parse((await Body?.transformToString()) ?? '');
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        if (error instanceof SyntaxError) return null;
        throw error;
      }
    },
    async writeJson(key, value) {
      const content = { Body: JSON.stringify(value), ContentType: 'application/json' };
      await withDeadline(client.send(new PutObjectCommand({ ...object(key), ...content })));
    },
    async writeRows(key, fd, rows) {
      const content = {
        Body: createReadStream('', { fd, start: 0, autoClose: false }),
        ContentLength: fstatSync(fd).size,
        Metadata: { rows: String(rows) },
      };
      await client.send(new PutObjectCommand({ ...object(key), ...content }));
    },
    async rowsOf(key) {
      try {
        const { Metadata } = await withDeadline(client.send(new HeadObjectCommand(object(key))));
        return Number(Metadata?.['rows'] ?? 0);
      } catch (error) {
        if (error instanceof NotFound) return 0;
        throw error;
      }
    },
  };
}

/** A sub-account id as part of a key: `&` is the only character of these ids that keys should not contain. */
export function keyPart(subAccountId: string): string {
  return subAccountId.replaceAll('&', '(amp)');
}
