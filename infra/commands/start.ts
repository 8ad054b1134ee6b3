import { setTimeout } from 'node:timers/promises';
import * as v from 'valibot';
import type { Answer } from '../local/api-gateway.ts';
import { awaitRecords, deliver, examples, readRecords, type StoredRecord } from '../local/examples.ts';
import { type LocalStack, startLocalStack } from '../local/local-stack.ts';
import { DEFAULT_PORT } from '../local/running.ts';
import { API_KEY } from '../local/services.ts';
import { inOneLine } from '../terminal/printable.ts';
import { textTable } from '../terminal/text-table.ts';
import { type CommandLine, runCommand, UsageError } from './command-line/command.ts';
import { wholeNumber } from './command-line/number-option.ts';

const HELP = `Usage: npm start -- [options]

Runs the whole stack on this machine, from the template that cdk deploy would
deploy: queues, table and functions, and an HTTP endpoint in place of API Gateway.
Delivers the examples that 8x8 publishes, shows their records, and runs until
Ctrl-C.

Options:
  --once         Stop after the examples. Exit code 1 if one was not recorded.
  --json         With --once: print the records as a JSON array, and nothing
                 else, to standard output. (npm's own heading: npm start -s -- …)
  --no-examples  Deliver nothing.
  --logs         Show everything that the functions log, not only warnings
                 and errors.
  --port NUMBER  Where the webhook listens. Default ${DEFAULT_PORT}; 0 for any free port.
  -h, --help     Show this.
`;

const COMMAND = {
  name: 'start',
  help: HELP,
  finishes: true,
  options: {
    once: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    examples: { type: 'boolean', default: true },
    logs: { type: 'boolean', default: false },
    port: { type: 'string', default: String(DEFAULT_PORT) },
  },
} as const;

/** @throws UsageError */
function checked(values: CommandLine<typeof COMMAND.options>['values']) {
  if (values.json && !values.once) throw new UsageError('--json goes with --once');
  if (values.once && !values.examples)
    throw new UsageError('--once stops after the examples; it does not go with --no-examples');
  return { ...values, port: wholeNumber('port', values.port, 0, 65_535) };
}

/** `npm start`: runs the local stack for a person at a terminal, or with --json for a script. */
async function main({ values, interrupted }: CommandLine<typeof COMMAND.options>): Promise<void> {
  const options = checked(values);
  // With --json, standard output is for the records alone.
  const out = options.json ? process.stderr : process.stdout;
  const say = (text: string) => void out.write(`${text}\n`);

  say('Synthesizing the stack and starting it on this machine …');
  const stack = await startLocalStack({
    port: options.port,
    log(line) {
      const text = options.logs ? line : whatHappened(line);
      if (text !== undefined) say(text);
    },
    onAnswer(answer) {
      if (answer.status !== 200) say(refusal(answer));
    },
  }).catch(explainPort);
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

function explainPort(error: unknown): never {
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE' && 'port' in error) {
    throw new UsageError(
      `Port ${error.port} is taken. Choose another with --port, or 0 for any that is free.`,
    );
  }
  throw error;
}

const LogLine = v.pipe(v.string(), v.parseJson(), v.looseObject({ level: v.optional(v.string()) }));

/** Metrics of the recorder in words. One line has those of a whole batch. */
const COUNTED = {
  DuplicateDeliveries: 'a duplicate: it is recorded already',
  ConflictingSummaries:
    'a conflict: another summary of a session that is recorded; the record shows the newer one and keeps both',
  IncompleteSummaries:
    'incomplete: it is recorded, but its status, start or end is missing or cannot be read',
};

/** What a line that a function logs says to a person: warnings and errors, and what became of a delivery. */
function whatHappened(line: string): string | undefined {
  const parsed = v.safeParse(LogLine, line);
  if (!parsed.success) return line;
  const { level, ...counted } = parsed.output;
  if (level !== undefined) return level === 'INFO' || level === 'DEBUG' ? undefined : line;
  const happened = Object.entries(COUNTED).flatMap(([metric, words]) =>
    metric in counted ? [`  ${words}`] : [],
  );
  return happened.length > 0 ? happened.join('\n') : undefined;
}

const Problem = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    title: v.string(),
    type: v.string(),
    issues: v.optional(v.array(v.object({ path: v.string(), message: v.string() })), []),
  }),
);

/** Why a delivery was refused, with one line per issue. */
function refusal({ status, body }: Answer): string {
  const parsed = v.safeParse(Problem, body);
  if (!parsed.success) return `  refused: ${status}`;
  const { title, type, issues } = parsed.output;
  return [
    `  refused: ${status} ${type.split(':').at(-1)}, ${title}`,
    ...issues.map(({ path, message }) => `    ${inOneLine(`${path}: ${message}`)}`),
  ].join('\n');
}

function addresses({ webhookUrl, endpoints, authorization }: LocalStack): string {
  return `
  Webhook        ${webhookUrl}
  Authorization  ${authorization}
  SQS            ${endpoints.sqs}
  DynamoDB       ${endpoints.dynamodb}
  8x8            ${endpoints.fake8x8} (API key: ${API_KEY})
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

  curl -i ${webhookUrl} -H 'Authorization: ${authorization}' --data-binary @infra/local/own-session.json

Ctrl-C stops everything.
`;
}

await runCommand(COMMAND, main);
