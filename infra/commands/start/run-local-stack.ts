import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { awaitRecords, deliver, examples, readRecords, type StoredRecord } from '../../local/examples.ts';
import { type LocalStack, startLocalStack } from '../../local/local-stack.ts';
import { API_KEY } from '../../local/services.ts';
import type { Template } from '../../local/template.ts';
import { print } from '../../terminal/output.ts';
import { type Context, UsageError } from '../command-line/command.ts';
import { eventLine, readableLogLine, recordTable, rejection } from './descriptions.ts';
import type { EventWriter } from './files.ts';
import { LOST_EXAMPLE, reconcileExample } from './lost-delivery.ts';

export interface StartOptions {
  /** Whether to stop after the examples. */
  once: boolean;
  /** Whether to print the records as JSON. */
  json: boolean;
  /** Whether to deliver the examples. */
  examples: boolean;
  /** Whether to show all log lines of the functions. */
  logs: boolean;
  port: number;
  /** Also receives each session event. */
  events: EventWriter | undefined;
  consumers: Template | undefined;
}

/** Runs the local stack until an interruption or, with --once, until the examples are recorded. Returns the exit code. */
export async function runLocalStack(
  options: StartOptions,
  context: Context,
  start = startLocalStack,
): Promise<number> {
  const { stdout, stderr, interrupted } = context;
  // With --json, only the records go to standard output.
  const say = (text: string) => print(options.json ? stderr : stdout, text);

  say('Synthesizing and starting the stack …');
  const stack = await start({
    port: options.port,
    ...(options.consumers && { consumers: options.consumers }),
    log(line) {
      const text = options.logs ? line : readableLogLine(line);
      if (text !== undefined) say(text);
    },
    onAnswer(answer) {
      if (answer.status !== 200) say(rejection(answer));
    },
    onEvent(event) {
      options.events?.write(event);
      say(eventLine(event));
    },
  }).catch(explainPort);
  try {
    say(addresses(stack));
    if (stack.outputs.EventBusArn === undefined && (options.events ?? options.consumers) !== undefined)
      say('There are no session events: the setting sessionEvents of the stage local is false.\n');
    if (options.examples && !interrupted.aborted) {
      const records = await deliverExamples(stack, say, interrupted);
      if (options.json) print(stdout, JSON.stringify(records, null, 2));
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
    return 0;
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
