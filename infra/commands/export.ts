import { type AttributeValue, DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { writeExport } from '../analytics/duckdb/write-export.ts';
import { ACCOUNT, REGION } from '../local/template.ts';
import { type CommandLine, runCommand, UsageError } from './command-line/command.ts';
import { findStage } from './stage/deployed-stage.ts';

const HELP = `Usage: npm run export -- [options]

Exports the table of the local stack to a folder, in the format of a DynamoDB
export to S3. The local stack must be running (npm start). A deployed stage exports
its table every day; to export it now, see infra/exports/README.md.

Options:
  --stage NAME  local, or local:PORT if npm start listens on another port than
                3000. Default local.
  --out FOLDER  The folder in which a new folder with the export is created.
                Default cdk.out/exports.
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
  const { outputs, settings } = await findStage(values.stage);
  const client = new DynamoDBClient(settings('dynamodb'));
  const { path, itemCount } = await writeExport(values.out, {
    tableArn: `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${outputs.TableName}`,
    items: itemsOf(client, outputs.TableName),
    fileCount: 2,
    time: Date.now(),
  });
  client.destroy();
  process.stdout.write(`Exported ${itemCount} records to ${path}

  npm run query -- ${values.out}
  npm run report -- ${values.out}
`);
}

async function* itemsOf(client: DynamoDBClient, TableName: string): AsyncGenerator<string> {
  for await (const { Items = [] } of paginateScan({ client }, { TableName })) {
    yield* Items.map((item: Record<string, AttributeValue>) => JSON.stringify(item));
  }
}

await runCommand(COMMAND, main);
