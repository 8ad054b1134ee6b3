import { resolve } from 'node:path';
import { type AttributeValue, DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { writeExport } from '../../analytics/duckdb/write-export.ts';
import { counted } from '../../analytics/report/wording.ts';
import { ACCOUNT, REGION } from '../../local/template.ts';
import { print } from '../../terminal/output.ts';
import type { Context } from '../command-line/command.ts';
import { type DeployedStage, findStage } from '../stage/deployed-stage.ts';
import { copyCharges } from './copy-charges.ts';

/** Writes the table of a local stack, and the charges in its bucket, to a folder. Returns the exit code. */
export async function exportLocalTable(stageName: string, out: string, context: Context): Promise<number> {
  const stage = await findStage(stageName, context);
  const { outputs, settings } = stage;
  const folder = resolve(context.cwd, out);
  const client = new DynamoDBClient(settings('dynamodb'));
  const { path, itemCount } = await writeExport(folder, {
    tableArn: `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${outputs.TableName}`,
    items: itemsOf(client, outputs.TableName),
    fileCount: 2,
    time: Date.now(),
  });
  client.destroy();
  print(
    context.stdout,
    `Exported ${itemCount} records to ${path}${await exportCharges(stage, folder)}

  npx vss-webhook query ${out}
  npx vss-webhook report ${out}`,
  );
  return 0;
}

/** Copies the charges of a stage, and returns a line about them. Without charges, it is empty. */
async function exportCharges({ outputs, settings }: DeployedStage, out: string): Promise<string> {
  if (outputs.ExportBucketName === undefined) return '';
  const s3 = new S3Client(settings('s3'));
  try {
    const { folder, fileCount } = await copyCharges(s3, outputs.ExportBucketName, out);
    return fileCount === 0 ? '' : `\nCopied ${counted(fileCount, 'file')} with charges to ${folder}`;
  } finally {
    s3.destroy();
  }
}

async function* itemsOf(client: DynamoDBClient, TableName: string): AsyncGenerator<string> {
  for await (const { Items = [] } of paginateScan({ client }, { TableName })) {
    yield* Items.map((item: Record<string, AttributeValue>) => JSON.stringify(item));
  }
}
