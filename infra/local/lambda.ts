import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
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
  /** Ends a process that is at work, as when the machine under it fails. Returns whether there was one. */
  kill(): boolean;
  stop(): void;
}

const RUNTIME = fileURLToPath(new URL('lambda-runtime.ts', import.meta.url));

/** So many events at a time are processed by each function, where nothing else is said; more wait their turn. */
export const CONCURRENCY = 2;

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
  concurrency: number = CONCURRENCY,
): LocalFunction {
  const { name, bundle, timeoutSeconds, environment } = definition;
  const idle: ChildProcess[] = [];
  const running = new Set<ChildProcess>();
  const waiting: PromiseWithResolvers<ChildProcess>[] = [];
  let stopped = false;

  /** Starts a process. Its bundle is loaded first: Lambda does not count that against the timeout either. */
  async function start(): Promise<ChildProcess> {
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
      if (!stopped) waiting.shift()?.resolve(start());
    });
    const [message] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
    if (message !== 'ready') throw new Error(`${name} ended while its bundle was loaded`);
    return child;
  }

  async function acquire(): Promise<ChildProcess> {
    if (stopped) throw new Error(`${name} is stopped`);
    const free = idle.pop();
    if (free) return free;
    if (running.size < concurrency) return start();
    const turn = Promise.withResolvers<ChildProcess>();
    waiting.push(turn);
    return turn.promise;
  }

  function release(child: ChildProcess): void {
    const next = waiting.shift();
    if (next) next.resolve(child);
    else idle.push(child);
  }

  async function invoke(event: unknown): Promise<unknown> {
    const child = await acquire();
    const requestId = randomUUID();
    const answered = Promise.withResolvers<unknown>();
    const onMessage = (message: unknown) => {
      const answer = v.parse(Answer, message);
      if (answer.requestId !== requestId) return;
      if (answer.error === undefined) answered.resolve(answer.result);
      else answered.reject(new Error(`${name}: ${answer.error}`));
    };
    const onExit = () => answered.reject(new Error(`${name} ended while it ran`));
    const timeout = setTimeout(() => {
      answered.reject(new Error(`${name} timed out after ${timeoutSeconds} seconds`));
      child.kill('SIGKILL');
    }, timeoutSeconds * 1000);
    child.on('message', onMessage).once('exit', onExit);
    child.send({ requestId, event }, (error) => error && answered.reject(error));
    try {
      return await answered.promise;
    } finally {
      clearTimeout(timeout);
      child.off('message', onMessage).off('exit', onExit);
      // One that has ended, or is about to, is followed by another (`start`).
      if (running.has(child) && child.connected && !child.killed) release(child);
    }
  }

  return {
    arn: functionArn(name),
    environment,
    invoke,
    kill: () => [...running].find((child) => !idle.includes(child))?.kill('SIGKILL') ?? false,
    stop() {
      stopped = true;
      for (const turn of waiting.splice(0)) turn.reject(new Error(`${name} is stopped`));
      for (const child of running) child.kill('SIGKILL');
    },
  };
}

/** What the process of a function answers. */
const Answer = v.object({
  requestId: v.string(),
  result: v.optional(v.unknown()),
  error: v.optional(v.string()),
});

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
