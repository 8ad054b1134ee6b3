import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { close, listenOnLoopback } from '../../../infra/local/loopback.ts';
import { fetchDynamoDbLocal } from './dynamodb-local-package.ts';
import type { Emulator } from './emulated-table.ts';

/** Starting is nearly all that the JVM does here, so that nothing is won by compiling well. */
const JVM = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto', '-Xmx256m'];
const DYNAMODB_LOCAL = ['-Djava.library.path=DynamoDBLocal_lib', '-jar', 'DynamoDBLocal.jar'];

/** Runs Java until standard input ends, which it does however this process ends, be it by SIGKILL. */
const JAVA_UNTIL_INPUT_ENDS =
  'exec 3<&0; (read -r _ <&3; kill -9 $$ 2>/dev/null) & exec java "$@" 3<&- </dev/null';

/** It starts within a second; only what hangs takes this long. */
const START_MS = 600_000;

/**
 * Starts Amazon's own emulator of DynamoDB, which runs on Java 8 and later.
 *
 * @returns What is missing, where there is no Java, or the emulator could not be fetched.
 */
export async function startDynamoDbLocal(): Promise<Emulator | { missing: string }> {
  // On macOS there is a java that only says that there is none.
  const hasJava = await promisify(execFile)('java', ['-version']).catch(() => undefined);
  if (!hasJava) return { missing: 'there is no Java; 8 or later will do' };
  const fetched = await fetchDynamoDbLocal();
  if ('missing' in fetched) return fetched;

  const endpoint = await freeEndpoint();
  const options = ['-inMemory', '-disableTelemetry', '-port', new URL(endpoint).port];
  const jvm = spawn('sh', ['-c', JAVA_UNTIL_INPUT_ENDS, 'sh', ...JVM, ...DYNAMODB_LOCAL, ...options], {
    cwd: fetched.folder,
  });
  let output = '';
  for (const stream of [jvm.stdout, jvm.stderr]) stream.on('data', (text) => (output += text));
  const ended = once(jvm, 'exit');
  const stop = () => {
    jvm.stdin.end();
    return ended;
  };

  const deadline = Date.now() + START_MS;
  while (!(await answers(endpoint))) {
    if ((jvm.exitCode ?? jvm.signalCode) !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`DynamoDB Local did not start:\n${output}`);
    }
    await pause(50);
  }
  return { endpoint, stop };
}

/** DynamoDB Local does not take port 0 for any that is free. */
async function freeEndpoint(): Promise<string> {
  const server = createServer();
  const endpoint = await listenOnLoopback(server, 0);
  await close(server);
  return endpoint;
}

/** Whether it is there, and not another server that took its port in the meantime. */
async function answers(endpoint: string): Promise<boolean> {
  return fetch(endpoint).then(
    ({ headers }) => headers.get('server')?.startsWith('Jetty') ?? false,
    () => false,
  );
}
