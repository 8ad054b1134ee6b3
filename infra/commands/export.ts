import { defineCommand, UsageError } from './command-line/command.ts';

const HELP = `Usage: npx vss-webhook export [options]

Exports the table of the local stack to a folder, in the format of a DynamoDB
export to S3. Copies the charges that reconciliation has stored to its subfolder
"charges", replacing those that are there. The local stack must be running (npm
start). A deployed stage exports its table every day; to export it now, see
infra/exports/README.md.

Options:
  --stage NAME  local, or local:PORT if npm start listens on another port than
                3000. Default local.
  --out FOLDER  The folder in which a new folder with the export is created.
                Default cdk.out/exports. Nothing is written outside of it.
  -h, --help    Show this help.
`;

export const exportTable = defineCommand({
  name: 'export',
  summary: 'export the table of the local stack to a folder',
  help: HELP,
  options: {
    stage: { type: 'string', default: 'local' },
    out: { type: 'string', default: 'cdk.out/exports' },
  },
  async run({ values: { stage, out } }, context) {
    if (!/^local(:\d+)?$/.test(stage)) {
      throw new UsageError(
        `"${stage}" is not a local stack. DynamoDB exports the table of a deployed stage to S3; to export it now, see infra/exports/README.md.`,
      );
    }
    const { exportLocalTable } = await import('./export/export-local-table.ts');
    return exportLocalTable(stage, out, context);
  },
});
