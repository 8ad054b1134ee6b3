import { type AttributeValue, DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { writeExport } from '../analytics/duckdb/write-export.ts';
import { counted } from '../analytics/report/wording.ts';
import { ACCOUNT, REGION } from '../local/template.ts';
import { type CommandLine, runCommand, UsageError } from './command-line/command.ts';
import { copyCharges } from './export/copy-charges.ts';
import { type DeployedStage, findStage } from './stage/deployed-stage.ts';

const HELP = `Usage: npm run export -- [options]

Exports the table of the local stack to a folder, in the format of a DynamoDB
export to S3. Copies the charges that reconciliation has stored to the folder
"charges" beside it, replacing those that are there. The local stack must be running
(npm start). A deployed stage exports its table every day; to export it now, see
infra/exports/README.md.

Options:
  --stage NAME  local, or local:PORT if npm start listens on another port than
                3000. Default local.
  --out FOLDER  The folder in which a new folder with the export is created.
                Default cdk.out/exports. The charges are written to "charges" in it
                or, if it is named exports, beside it.
  -h, --help    Show this help.
`;

const COMMAND = {
  name: 'export',
  help: HELP,
  options: {
    stage: { type: 'string', default: 'local' },
    out: { type: 'string', default: 'cdk.out/exports' },
  },
} as const;

async function main({ values }: CommandLine<typeof COMMAND.options>): Promise<void> {
  if (!/^local(:\d+)?$/.test(values.stage)) {
    throw new UsageError(
      `"${values.stage}" is not a local stack. DynamoDB exports the table of a deployed stage to S3; to export it now, see infra/exports/README.md.`,
    );
  }
  const stage = await findStage(values.stage);
  const { outputs, settings } = stage;
  const client = new DynamoDBClient(settings('dynamodb'));
  const { path, itemCount } = await writeExport(values.out, {
    tableArn: `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${outputs.TableName}`,
    items: itemsOf(client, outputs.TableName),
    fileCount: 2,
    time: Date.now(),
  });
  client.destroy();
  process.stdout.write(`Exported ${itemCount} records to ${path}${await exportCharges(stage, values.out)}

  npm run query -- ${values.out}
  npm run report -- ${values.out}
`);
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

await runCommand(COMMAND, main);
