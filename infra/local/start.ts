import { once } from 'node:events';
import { awaitRecords, deliver, examples, type StoredRecord } from './examples.ts';
import { type LocalStack, startLocalStack } from './local-stack.ts';
import { HELP, type Options, readOptions } from './options.ts';

/** `npm start`: runs the local stack for a person at a terminal, or with --json for a script. */
async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) return void process.stdout.write(HELP);
  // With --json, standard output is for the records alone.
  const out = options.json ? process.stderr : process.stdout;
  const say = (text: string) => void out.write(`${text}\n`);

  say('Synthesizing the stack and starting it on this machine …');
  const stack = await startLocalStack({
    port: options.port,
    log: (line) => isToBeShown(line, options) && say(line),
  });
  try {
    say(addresses(stack));
    if (options.examples) {
      const records = await deliverExamples(stack, say);
      if (options.json) process.stdout.write(`${JSON.stringify(records, null, 2)}\n`);
      else say(table(records));
      if (records.length < examples.length) {
        throw new Error(
          `${examples.length - records.length} of ${examples.length} examples were not recorded. See what the functions log: --logs`,
        );
      }
    }
    if (!options.once) {
      say(tryIt(stack));
      await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
      say('\nStopping …');
    }
  } finally {
    await stack.stop();
  }
}

function isToBeShown(line: string, { logs }: Options): boolean {
  const isRoutine = line.startsWith('{') && !/"level":"(?:WARN|ERROR|CRITICAL)"/.test(line);
  return logs || !isRoutine;
}

function addresses({ webhookUrl, endpoints, authorization }: LocalStack): string {
  return `
  Webhook        ${webhookUrl}
  Authorization  ${authorization}
  SQS            ${endpoints.sqs}
  DynamoDB       ${endpoints.dynamodb}
`;
}

async function deliverExamples(stack: LocalStack, say: (text: string) => void): Promise<StoredRecord[]> {
  say('Delivering the examples that 8x8 publishes:');
  const accepted: string[] = [];
  for (const { name, body, sessionId } of examples) {
    const { ok, status } = await deliver(stack, body);
    say(`  ${status}  ${name}`);
    if (ok) accepted.push(sessionId);
  }
  return awaitRecords(stack, accepted);
}

/** The records, one line each: what a person looks for first. */
function table(records: readonly StoredRecord[]): string {
  const rows = records.map((record) => [
    record.sessionId,
    record.subAccountId,
    record.sessionStatus,
    record.endTime,
    String(record.legs.length),
  ]);
  const heading = ['sessionId', 'subAccountId', 'sessionStatus', 'endTime', 'legs'];
  const widths = heading.map((_, column) =>
    Math.max(...[heading, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  const lines = [heading, ...rows].map(
    (row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`,
  );
  return `\nRecorded in DynamoDB:\n${lines.map((line) => line.trimEnd()).join('\n')}`;
}

function tryIt({ webhookUrl, authorization }: LocalStack): string {
  return `
Send one yourself:

  curl -i ${webhookUrl} -H 'Authorization: ${authorization}' -d @infra/local/examples/ivr-busy.json

Ctrl-C stops everything.`;
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'EADDRINUSE' && 'port' in error) {
    return `Port ${error.port} is taken. Choose another with --port, or 0 for any that is free.`;
  }
  return error.message;
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = 1;
}
