import { relative } from 'node:path';
import { type AttributeValue, DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { writeExport } from '../analytics/duckdb/write-export.ts';
import { ACCOUNT, REGION } from '../local/template.ts';
import { type CommandLine, runCommand, UsageError } from './command-line/command.ts';
import { findStage } from './stage/deployed-stage.ts';

const HELP = `Usage: npm run export -- [options]

Exports the table of the local stack, while npm start runs, into a folder, as
DynamoDB exports a table to S3. A deployed stage exports by itself; how to do it
at once is in infra/exports/README.md.

Options:
  --stage NAME  local, or local:PORT if it listens on another port than 3000.
                Default local.
  --out FOLDER  Where the export goes, in a folder of its own. Default cdk.out/exports.
  -h, --help    Show this.
`;

const COMMAND = {
  name: 'export',
  help: HELP,
  options: {
    stage: { type: 'string', default: 'local' },
    out: { type: 'string', default: 'cdk.out/exports' },
  },
} as const;

/** `npm run export`: for the analyst who tries it without AWS. */
async function main({ values }: CommandLine<typeof COMMAND.options>): Promise<void> {
  if (!/^local(:\d+)?$/.test(values.stage)) {
    throw new UsageError(
      `"${values.stage}" is not on this machine: DynamoDB exports the table of a deployed stage to S3. infra/exports/README.md says how to do that now.`,
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
  process.stdout.write(`${itemCount} records exported to ${relative('.', path) || path}

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
