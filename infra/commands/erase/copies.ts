import {
  CHARGES_PREFIX,
  EXPORTS_PREFIX,
  RESULTS_PREFIX,
  RESULTS_RETENTION_DAYS,
} from '../../exports/bucket-prefixes.ts';
import type { DeployedStage } from '../stage/deployed-stage.ts';

/** SQS keeps a dead letter for this many days, counted from the delivery. */
const DEAD_LETTER_DAYS = 14;
/** DynamoDB keeps point-in-time backups for this many days. */
const BACKUP_DAYS = 35;
/** Lifecycle rules run once a day, and need up to two to delete an object. */
const LIFECYCLE_DAYS = 2;

/** Names the copies of an erased session that the command cannot delete, and when each is gone. */
export function copiesText({ outputs }: DeployedStage, now: Date): string {
  const after = (days: number) =>
    new Date(now.getTime() + days * 86_400_000).toISOString().slice(0, 'YYYY-MM-DD'.length);
  const {
    TableName,
    ExportBucketName: bucket,
    ExportRetentionDays: days,
    AthenaWorkgroup,
    EventBusArn,
  } = outputs;
  const copies = [
    `- dead letters in which no session can be identified, until ${after(DEAD_LETTER_DAYS)}`,
    `- the backups of ${TableName}, until ${after(BACKUP_DAYS)}`,
    ...(bucket === undefined
      ? []
      : [
          `- earlier table exports, in s3://${bucket}/${EXPORTS_PREFIX}, until ${after(Number(days) + LIFECYCLE_DAYS)}`,
          `- with exportVersioning, earlier versions in s3://${bucket}/${CHARGES_PREFIX}, until then`,
        ]),
    ...(AthenaWorkgroup === undefined
      ? []
      : [
          `- results of Athena, in s3://${bucket}/${RESULTS_PREFIX}, until ${after(RESULTS_RETENTION_DAYS + LIFECYCLE_DAYS)}`,
        ]),
    ...(EventBusArn === undefined ? [] : ['- session events, with the consumers that received them']),
    '- folders that analysts have fetched, until they delete them',
    '- 8x8 itself',
  ];
  return `Copies remain:\n${copies.join('\n')}`;
}
