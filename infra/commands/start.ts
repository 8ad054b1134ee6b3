import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { awaitRecords, deliver, examples, readRecords, type StoredRecord } from '../local/examples.ts';
import { type LocalStack, startLocalStack } from '../local/local-stack.ts';
import { DEFAULT_PORT } from '../local/running.ts';
import { API_KEY } from '../local/services.ts';
import { type CommandLine, runCommand, UsageError } from './command-line/command.ts';
import { wholeNumber } from './command-line/number-option.ts';
import { eventLine, readableLogLine, recordTable, rejection } from './start/descriptions.ts';
import { eventWriter, readConsumers } from './start/files.ts';
import { LOST_EXAMPLE, reconcileExample } from './start/lost-delivery.ts';

const HELP = `Usage: npm start -- [options]

Runs the whole stack on this machine, from the template that cdk deploy would
deploy: queues, table and functions, with an HTTP server in place of API Gateway.
Delivers the examples that 8x8 publishes, except for one, which reconciliation
finds in 8x8's log export. Shows their records and events, and runs until Ctrl-C.

Options:
  --once         Stop after the examples. Exit code 1 if one was not recorded.
  --json         With --once: print only the records, as a JSON array, to standard
                 output. To suppress npm's own heading: npm start -s -- …
  --events FILE  Also write each session event to this file, as a line of JSON.
  --consumers FILE
                 Also provision this CloudFormation template (JSON): rules, queues and
                 topics that receive session events. Prints its outputs.
  --no-examples  Do not deliver the examples.
  --logs         Show all log lines of the functions, not only warnings and errors.
  --port NUMBER  Port of the webhook. Default ${DEFAULT_PORT}; 0 for any free port.
  -h, --help     Show this help.
`;

const COMMAND = {
  name: 'start',
  help: HELP,
  cleansUp: true,
  options: {
    once: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    events: { type: 'string' },
    consumers: { type: 'string' },
    examples: { type: 'boolean', default: true },
    logs: { type: 'boolean', default: false },
    port: { type: 'string', default: String(DEFAULT_PORT) },
  },
} as const;

/** Checks which options are combined. @throws UsageError */
function checkedOptions(values: CommandLine<typeof COMMAND.options>['values']) {
  if (values.json && !values.once) throw new UsageError('--json needs --once');
  if (values.once && !values.examples)
    throw new UsageError('--once cannot be combined with --no-examples: it stops after the examples');
  return { ...values, port: wholeNumber('port', values.port, 0, 65_535) };
}

async function main({ values, interrupted }: CommandLine<typeof COMMAND.options>): Promise<void> {
  const options = checkedOptions(values);
  // With --json, only the records go to standard output.
  const out = options.json ? process.stderr : process.stdout;
  const say = (text: string) => void out.write(`${text}\n`);

  using events = eventWriter(options.events);
  const consumers = options.consumers === undefined ? undefined : readConsumers(options.consumers);
  say('Synthesizing and starting the stack …');
  const stack = await startLocalStack({
    port: options.port,
    ...(consumers && { consumers }),
    log(line) {
      const text = options.logs ? line : readableLogLine(line);
      if (text !== undefined) say(text);
    },
    onAnswer(answer) {
      if (answer.status !== 200) say(rejection(answer));
    },
    onEvent(event) {
      events.write(event);
      say(eventLine(event));
    },
  }).catch(explainPort);
  try {
    say(addresses(stack));
    if (stack.outputs.EventBusArn === undefined && (options.events ?? options.consumers) !== undefined)
      say('There are no session events: the setting sessionEvents of the stage local is false.\n');
    if (options.examples && !interrupted.aborted) {
      const records = await deliverExamples(stack, say, interrupted);
      if (options.json) process.stdout.write(`${JSON.stringify(records, null, 2)}\n`);
      else say(`\nRecords in DynamoDB:\n${recordTable(records)}`);
      const missing = examples.length - records.length;
      if (missing > 0)
        throw new Error(
          `${missing} of ${examples.length} examples were not recorded. Run again with --logs to see why.`,
        );
    }
    if (!options.once) {
      say(curlExample(stack));
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
      `Port ${error.port} is already in use. Choose another one with --port, or --port 0 for any free port.`,
    );
  }
  throw error;
}

function addresses({ webhookUrl, endpoints, authorization, consumerOutputs }: LocalStack): string {
  return `
  Webhook        ${webhookUrl}
  Authorization  ${authorization}
  SQS, S3        ${endpoints.sqs}
  DynamoDB       ${endpoints.dynamodb}
  8x8            ${endpoints.fake8x8} (API key: ${API_KEY})
${[...consumerOutputs].map(([name, value]) => `  ${name.padEnd(14)} ${value}\n`).join('')}`;
}

async function deliverExamples(
  stack: LocalStack,
  say: (text: string) => void,
  interrupted: AbortSignal,
): Promise<StoredRecord[]> {
  say('The fake 8x8 delivers its examples to the registered URL:');
  const lost = stack.outputs.ReconciliationFunctionName === undefined ? undefined : LOST_EXAMPLE;
  const recorded: string[] = [];
  for (const { name, body, sessionId, subAccountId } of examples) {
    try {
      if (name === lost) stack.fake8x8.switches.lose = 1;
      const response = await deliver(stack, body, subAccountId);
      const isRejected = response && !response.ok;
      say(
        `  ${String(response?.status ?? 'lost').padEnd(4)}  ${name}${isRejected ? `  ${await response.text()}` : ''}`,
      );
      if (response?.ok) recorded.push(sessionId);
    } catch (error) {
      say(`  ---   ${name}  ${error instanceof Error ? error.message : error}`);
    }
  }
  await awaitRecords(stack, recorded);
  for (const example of examples.filter(({ name }) => name === lost)) {
    say("\nReconciliation compares the day of the lost one with 8x8's log export:");
    say(`  ${await reconcileExample(stack, example)}`);
    recorded.push(example.sessionId);
  }
  const records = await awaitRecords(stack, recorded);
  // A pipe whose event bus does not accept an event retries for hours.
  if (!interrupted.aborted) await Promise.race([stack.eventsPublished(), once(interrupted, 'abort')]);
  return records;
}

/** Prints each new or changed record, until the signal aborts. */
async function showNewRecords(
  stack: LocalStack,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const shown = new Set((await readRecords(stack)).map(versionOf));
  while (!signal.aborted) {
    const changed = (await readRecords(stack)).filter((record) => !shown.has(versionOf(record)));
    if (changed.length > 0) say(recordTable(changed));
    for (const record of changed) shown.add(versionOf(record));
    await setTimeout(500, undefined, { signal }).catch(() => {});
  }
}

const versionOf = ({ sessionId, revision }: StoredRecord) => `${sessionId} ${revision}`;

function curlExample({ webhookUrl, authorization }: LocalStack): string {
  return `
To send your own summary and see its record here:

  curl -i ${webhookUrl} -H 'Authorization: ${authorization}' --data-binary @infra/local/own-session.json

Press Ctrl-C to stop.
`;
}

await runCommand(COMMAND, main);
