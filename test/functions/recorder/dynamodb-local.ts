import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { close, listenOnLoopback } from '../../../infra/local/loopback.ts';
import { fetchDynamoDbLocal } from './dynamodb-local-package.ts';
import type { Emulator } from './emulated-table.ts';

/** The JVM spends most of its time starting, so better optimisation and verification of classes would not pay off. */
const JVM = [
  '-XX:TieredStopAtLevel=1',
  '-XX:+UseSerialGC',
  '-Xshare:auto',
  '-Xmx256m',
  '-XX:+IgnoreUnrecognizedVMOptions',
  '-XX:+UnlockDiagnosticVMOptions',
  '-XX:-BytecodeVerificationRemote',
];
const DYNAMODB_LOCAL = ['-Djava.library.path=DynamoDBLocal_lib', '-jar', 'DynamoDBLocal.jar'];

/** Kills Java when standard input ends. That happens even if this process is killed with SIGKILL. */
const JAVA_UNTIL_INPUT_ENDS =
  'exec 3<&0; (read -r _ <&3; kill -9 $$ 2>/dev/null) & exec java "$@" 3<&- </dev/null';

/** It normally starts within a second. */
const START_MS = 600_000;

/**
 * Starts DynamoDB Local, Amazon's own emulator, which needs Java 8 or later.
 *
 * @returns The reason in `missing` if Java is not installed or the emulator cannot be downloaded.
 */
export async function startDynamoDbLocal(): Promise<Emulator | { missing: string }> {
  // macOS has a placeholder for java that only prints that Java is not installed.
  const hasJava = await promisify(execFile)('java', ['-version']).catch(() => undefined);
  if (!hasJava) return { missing: 'Java 8 or later is not installed' };
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

/** DynamoDB Local cannot choose a free port itself with port 0. */
async function freeEndpoint(): Promise<string> {
  const server = createServer();
  const endpoint = await listenOnLoopback(server, 0);
  await close(server);
  return endpoint;
}

/** Whether DynamoDB Local responds, and not another server that took its port in the meantime. */
async function answers(endpoint: string): Promise<boolean> {
  return fetch(endpoint).then(
    ({ headers }) => headers.get('server')?.startsWith('Jetty') ?? false,
    () => false,
  );
}
