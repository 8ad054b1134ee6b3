import { setTimeout } from 'node:timers/promises';
import * as v from 'valibot';
import { textTable } from '../text-table.ts';
import { awaitRecords, deliver, examples, readRecords, type StoredRecord } from './examples.ts';
import { API_KEY, type LocalStack, startLocalStack } from './local-stack.ts';
import { HELP, readOptions } from './options.ts';

/** `npm start`: runs the local stack for a person at a terminal, or with --json for a script. */
async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) return void process.stdout.write(HELP);
  // With --json, standard output is for the records alone.
  const out = options.json ? process.stderr : process.stdout;
  const say = (text: string) => void out.write(`${text}\n`);
  const interrupted = interruption();

  say('Synthesizing the stack and starting it on this machine …');
  const stack = await startLocalStack({
    port: options.port,
    log(line) {
      const text = options.logs ? line : whatHappened(line);
      if (text !== undefined) say(text);
    },
  });
  try {
    say(addresses(stack));
    if (options.examples && !interrupted.aborted) {
      const records = await deliverExamples(stack, say);
      if (options.json) process.stdout.write(`${JSON.stringify(records, null, 2)}\n`);
      else say(`\nRecorded in DynamoDB:\n${table(records)}`);
      const missing = examples.length - records.length;
      if (missing > 0)
        throw new Error(`${missing} of ${examples.length} examples were not recorded; --logs shows more.`);
    }
    if (!options.once) {
      say(tryIt(stack));
      await showNewRecords(stack, say, interrupted);
    }
  } finally {
    say('Stopping …');
    await stack.stop();
  }
}

/** Ends with Ctrl-C, with the terminal, or when nobody reads what is printed any more; a second time changes nothing. */
function interruption(): AbortSignal {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => interrupted.abort());
  process.stdout.on('error', () => interrupted.abort());
  return interrupted.signal;
}

const LogLine = v.pipe(
  v.string(),
  v.parseJson(),
  v.looseObject({ level: v.optional(v.string()), reason: v.optional(v.string()) }),
);

/** Metrics of the recorder in words. One line has those of a whole batch. */
const COUNTED = {
  DuplicateDeliveries: 'a duplicate: it is recorded already',
  IncompleteSummaries:
    'incomplete: it is recorded, but its status, start or end is missing or cannot be read',
};

/** What a line that a function logs says to a person: warnings and errors, and what became of a delivery. */
function whatHappened(line: string): string | undefined {
  const parsed = v.safeParse(LogLine, line);
  if (!parsed.success) return line;
  const { level, reason, ...counted } = parsed.output;
  if (level !== undefined) return level === 'INFO' || level === 'DEBUG' ? undefined : line;
  if ('DeliveriesRejected' in counted) return `  refused: ${reason}`;
  const happened = Object.entries(COUNTED).flatMap(([metric, words]) =>
    metric in counted ? [`  ${words}`] : [],
  );
  return happened.length > 0 ? happened.join('\n') : undefined;
}

function addresses({ webhookUrl, endpoints, authorization }: LocalStack): string {
  return `
  Webhook        ${webhookUrl}
  Authorization  ${authorization}
  SQS            ${endpoints.sqs}
  DynamoDB       ${endpoints.dynamodb}
  8x8            ${endpoints.voiceApi} (API key: ${API_KEY})
`;
}

async function deliverExamples(stack: LocalStack, say: (text: string) => void): Promise<StoredRecord[]> {
  say('8x8, a stand-in of it, delivers its examples to the URL that was registered:');
  const accepted: string[] = [];
  for (const { name, body, sessionId, subAccountId } of examples) {
    try {
      const response = await deliver(stack, body, subAccountId);
      say(`  ${response.status}  ${name}${response.ok ? '' : `  ${await response.text()}`}`);
      if (response.ok) accepted.push(sessionId);
    } catch (error) {
      say(`  ---  ${name}  ${error instanceof Error ? error.message : error}`);
    }
  }
  return awaitRecords(stack, accepted);
}

/** Prints each record that is new or has changed, until the signal. */
async function showNewRecords(
  stack: LocalStack,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const known = new Set((await readRecords(stack)).map(nameOf));
  while (!signal.aborted) {
    const unknown = (await readRecords(stack)).filter((record) => !known.has(nameOf(record)));
    if (unknown.length > 0) say(table(unknown));
    for (const record of unknown) known.add(nameOf(record));
    await setTimeout(500, undefined, { signal }).catch(() => {});
  }
}

const nameOf = ({ sessionId, revision }: StoredRecord) => `${sessionId} ${revision}`;

/** What stands for a value that a record does not have. */
const ABSENT = '-';

/** Records, one line each: what a person looks for first. */
function table(records: readonly StoredRecord[]): string {
  return textTable([
    ['sessionId', 'subAccountId', 'sessionStatus', 'endTime', 'legs'],
    ...records.map(({ sessionId, subAccountId, sessionStatus, endTime, legs }) => [
      sessionId,
      subAccountId,
      sessionStatus ?? ABSENT,
      endTime ?? ABSENT,
      String(legs.length),
    ]),
  ]);
}

function tryIt({ webhookUrl, authorization }: LocalStack): string {
  return `
Send one yourself; what it becomes is shown here:

  curl -i ${webhookUrl} -H 'Authorization: ${authorization}' -d @infra/local/own-session.json

Ctrl-C stops everything.
`;
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'EADDRINUSE' && 'port' in error) {
    return `Port ${error.port} is taken. Choose another with --port, or 0 for any that is free.`;
  }
  if ('code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_')) {
    return `${error.message.split(/[.\n]/, 1)[0]}. See --help.`;
  }
  return error.message;
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = 1;
}
