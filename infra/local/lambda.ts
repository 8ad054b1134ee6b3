import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ACCOUNT, REGION } from './template.ts';

/** A function as the template describes it. */
export interface FunctionDefinition {
  name: string;
  /** Absolute path of the bundle. */
  bundle: string;
  timeoutSeconds: number;
  memoryMegabytes: number;
  /** Exactly what the template sets. */
  environment: Readonly<Record<string, string>>;
}

/** A function that can be invoked. Rejects when it throws, exceeds its timeout or dies. */
export interface LocalFunction {
  arn: string;
  environment: Readonly<Record<string, string>>;
  invoke(event: unknown): Promise<unknown>;
  stop(): void;
}

interface Answer {
  requestId: string;
  result?: unknown;
  error?: { name: string; message: string };
}

const RUNTIME = fileURLToPath(new URL('lambda-runtime.ts', import.meta.url));

/** So many events at a time are processed by each function; more wait their turn. */
const CONCURRENCY = 2;

export function functionArn(name: string): string {
  return `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${name}`;
}

/**
 * A function in processes of its own, one event at a time in each, started when needed and kept, as Lambda does.
 * Their environment has what the template sets, what Lambda itself sets, and where AWS is (`endpoints`).
 */
export function localFunction(
  definition: FunctionDefinition,
  endpoints: Readonly<Record<string, string>>,
  log: (line: string) => void,
): LocalFunction {
  const { name, bundle, timeoutSeconds, environment } = definition;
  const idle: ChildProcess[] = [];
  const running = new Set<ChildProcess>();
  const waiting: ((process: ChildProcess) => void)[] = [];

  function start(): ChildProcess {
    const child = fork(RUNTIME, [bundle], {
      env: { ...environment, ...lambdaEnvironment(definition), ...endpoints },
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [child.stdout, child.stderr]) if (stream) createInterface(stream).on('line', log);
    running.add(child);
    child.once('exit', () => {
      running.delete(child);
      if (idle.includes(child)) idle.splice(idle.indexOf(child), 1);
      const next = waiting.shift();
      if (next) next(start());
    });
    return child;
  }

  function acquire(): ChildProcess | Promise<ChildProcess> {
    const free = idle.pop();
    if (free) return free;
    return running.size < CONCURRENCY ? start() : new Promise((resolve) => waiting.push(resolve));
  }

  function release(child: ChildProcess): void {
    const next = waiting.shift();
    if (next) next(child);
    else idle.push(child);
  }

  async function invoke(event: unknown): Promise<unknown> {
    const child = await acquire();
    const requestId = randomUUID();
    const done = new AbortController();
    const timeout = setTimeout(() => child.kill('SIGKILL'), timeoutSeconds * 1000);
    try {
      child.send({ requestId, event });
      const [answer]: (Answer | number | null)[] = await Promise.race([
        once(child, 'message', { signal: done.signal }),
        once(child, 'exit', { signal: done.signal }),
      ]);
      if (typeof answer !== 'object' || answer === null) {
        throw new Error(`${name} ended while it ran, or took more than its ${timeoutSeconds} seconds`);
      }
      release(child);
      if (answer.error) throw new Error(`${name}: ${answer.error.name}: ${answer.error.message}`);
      return answer.result;
    } finally {
      clearTimeout(timeout);
      done.abort();
    }
  }

  return {
    arn: functionArn(name),
    environment,
    invoke,
    stop() {
      waiting.length = 0;
      for (const child of running) child.kill();
    },
  };
}

/** What Lambda sets for every function. @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html */
function lambdaEnvironment({ name, memoryMegabytes }: FunctionDefinition): Record<string, string> {
  return {
    AWS_REGION: REGION,
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMegabytes),
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    TZ: ':UTC',
  };
}
