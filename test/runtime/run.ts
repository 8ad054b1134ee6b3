import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { temporaryFolder } from '../../infra/analytics/duckdb/temporary-folder.ts';
import type { CommandLine } from '../../infra/commands/command-line/command.ts';
import { bundleOptions } from '../../infra/constructs/bundle-options.ts';
import { textTable } from '../../infra/terminal/text-table.ts';
import { machine } from '../machine.ts';
import { runMeasurement } from '../measurement.ts';
import { type ExecutionEnvironment, executionEnvironment } from './execution-environment.ts';
import { runtimeClient } from './runtime-client.ts';
import { type Services, startServices } from './services.ts';
import { AUTHORIZATION_DIGEST, type Result, type Trial, trials } from './trials.ts';

const HELP = `Usage: npm run test:runtime -- [options]

Runs the bundles of the webhook and the recorder, as they are deployed, under
AWS's own runtime interface client (aws-lambda-ric) against a Lambda Runtime API
on this machine: cold starts, deliveries and traces, a batch, errors, timeouts.
Exit code 1 if a result is not as expected. Takes half a minute. The first time,
npm builds the client in node_modules/.cache, for another minute. Linux only.

Options:
  --logs      Show the logs of the functions on standard error.
  -h, --help  Show this help.
`;

const COMMAND = {
  name: 'test:runtime',
  help: HELP,
  options: {
    logs: { type: 'boolean', default: false },
  },
} as const;

async function main({ values }: CommandLine<typeof COMMAND.options>): Promise<void> {
  const progress = (text: string) => void process.stderr.write(`${text}\n`);
  const client = await runtimeClient(progress);
  const bundles = { webhook: bundle('webhook'), recorder: bundle('recorder') };

  const rows: Result[] = [];
  for (const [name, runTrial] of Object.entries(trials)) {
    progress(name);
    const services = await startServices();
    const started: ExecutionEnvironment[] = [];
    const start: Trial['start'] = async (folder, environment) => {
      const deployed = await executionEnvironment({
        client,
        bundle: bundles[folder],
        environment: { ...environments(services)[folder], ...environment },
        logs: values.logs ? 'inherit' : 'ignore',
      });
      started.push(deployed);
      return deployed;
    };
    try {
      rows.push(...(await runTrial({ services, start })));
    } catch (error) {
      const actual = error instanceof Error ? error.message : String(error);
      rows.push({ label: name, expected: 'no error', actual, passes: false });
    } finally {
      for (const each of started) await each.stop();
      await services.stop();
    }
  }
  const table = rows.map(({ label, expected, actual, passes }) => [
    passes ? 'ok' : 'FAILED',
    label,
    expected,
    actual,
  ]);
  process.stdout.write(`${machine()}\n${textTable([['', '', 'expected', 'actual'], ...table])}\n`);
  const failed = rows.filter(({ passes }) => !passes).length;
  if (failed > 0) throw new Error(`${failed} of ${rows.length} results are not as expected.`);
}

/** Bundles a function as the stack does. Returns the path of the bundle. */
function bundle(folder: string): string {
  const outfile = join(temporaryFolder(), 'index.js');
  buildSync({ ...bundleOptions(`${folder}/handler.ts`), outfile });
  return outfile;
}

/** The variables that the template sets for each function, and the endpoints of AWS. */
function environments({ sqs, dynamodb, tableName, queueUrl, deadLetterQueueUrl }: Services) {
  const both = {
    POWERTOOLS_SERVICE_NAME: 'runtime',
    QUEUE_URL: queueUrl,
    DEAD_LETTER_QUEUE_URL: deadLetterQueueUrl,
    AWS_ENDPOINT_URL_SQS: sqs.url,
    AWS_ENDPOINT_URL_DYNAMODB: dynamodb,
  };
  return {
    webhook: {
      ...both,
      AUTHORIZATION_DIGESTS: AUTHORIZATION_DIGEST,
      SUB_ACCOUNT_IDS: '8x8_test',
    },
    recorder: { ...both, TABLE_NAME: tableName },
  };
}

await runMeasurement(COMMAND, main);
