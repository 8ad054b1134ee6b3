import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { ACCOUNT, REGION } from './template.ts';

/** A function as defined in the template. */
export interface FunctionDefinition {
  name: string;
  /** The absolute path of the bundle. */
  bundle: string;
  timeoutSeconds: number;
  memoryMegabytes: number;
  /** The environment variables that the template sets. */
  environment: Readonly<Record<string, string>>;
}

/** The interface of callers that only invoke a function. */
export type Invocable = Pick<LocalFunction, 'invoke'>;

const RUNTIME = fileURLToPath(new URL('lambda-runtime.js', import.meta.url));

/** The default number of events that a function processes concurrently. Further events wait. */
export const CONCURRENCY = 2;

export function functionArn(name: string): string {
  return `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${name}`;
}

/**
 * Runs a function in child processes, like the execution environments of Lambda: each handles one event at a time, is
 * started on demand, and is reused. Its environment contains the variables of the template, those that Lambda sets, and
 * the `endpoints` of the AWS services.
 */
export class LocalFunction {
  readonly arn: string;
  readonly environment: Readonly<Record<string, string>>;

  readonly #definition: FunctionDefinition;
  readonly #endpoints: Readonly<Record<string, string>>;
  readonly #log: (line: string) => void;
  readonly #concurrency: number;
  readonly #idle: ChildProcess[] = [];
  readonly #running = new Set<ChildProcess>();
  /** Invocations that wait for a free process. */
  readonly #waiting: PromiseWithResolvers<ChildProcess>[] = [];
  #isStopped = false;

  constructor(
    definition: FunctionDefinition,
    endpoints: Readonly<Record<string, string>>,
    log: (line: string) => void,
    concurrency: number = CONCURRENCY,
  ) {
    this.arn = functionArn(definition.name);
    this.environment = definition.environment;
    this.#definition = definition;
    this.#endpoints = endpoints;
    this.#log = log;
    this.#concurrency = concurrency;
  }

  /** Rejects if the function throws, times out, or its process exits. */
  async invoke(event: unknown): Promise<unknown> {
    const { name, timeoutSeconds } = this.#definition;
    const child = await this.#acquire();
    const requestId = randomUUID();
    const answered = Promise.withResolvers<unknown>();
    const onMessage = (message: unknown) => {
      const answer = v.parse(Answer, message);
      if (answer.requestId !== requestId) return;
      if (answer.error === undefined) answered.resolve(answer.result);
      else answered.reject(new Error(`${name}: ${answer.error}`));
    };
    const onExit = () => answered.reject(new Error(`The process of ${name} exited during the invocation`));
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
      this.#release(child);
    }
  }

  /** Kills a busy process, to simulate a failed host. Returns whether there was one. */
  kill(): boolean {
    return [...this.#running].find((child) => !this.#idle.includes(child))?.kill('SIGKILL') ?? false;
  }

  stop(): void {
    this.#isStopped = true;
    for (const turn of this.#waiting.splice(0)) turn.reject(this.#stopped());
    for (const child of this.#running) child.kill('SIGKILL');
  }

  #stopped(): Error {
    return new Error(`${this.#definition.name} has been stopped`);
  }

  /** Starts a process and waits until its bundle is loaded. Like in Lambda, this does not count towards the timeout. */
  async #start(): Promise<ChildProcess> {
    const { name, bundle } = this.#definition;
    const child = fork(RUNTIME, [bundle], {
      env: { ...this.environment, ...lambdaEnvironment(this.#definition), ...this.#endpoints },
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface(stream).on('line', this.#log);
    }
    this.#running.add(child);
    child.once('exit', () => {
      this.#running.delete(child);
      if (this.#idle.includes(child)) this.#idle.splice(this.#idle.indexOf(child), 1);
      if (!this.#isStopped) this.#waiting.shift()?.resolve(this.#start());
    });
    const [message] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
    if (message !== 'ready') throw new Error(`The process of ${name} exited while loading its bundle`);
    return child;
  }

  async #acquire(): Promise<ChildProcess> {
    if (this.#isStopped) throw this.#stopped();
    const free = this.#idle.pop();
    if (free) return free;
    if (this.#running.size < this.#concurrency) return this.#start();
    const turn = Promise.withResolvers<ChildProcess>();
    this.#waiting.push(turn);
    return turn.promise;
  }

  /** Hands a process over to the next event. A process that has exited or is about to is replaced on its exit. */
  #release(child: ChildProcess): void {
    if (!this.#running.has(child) || !child.connected || child.killed) return;
    const next = this.#waiting.shift();
    if (next) next.resolve(child);
    else this.#idle.push(child);
  }
}

/** The response of a function's process. */
const Answer = v.object({
  requestId: v.string(),
  result: v.optional(v.unknown()),
  error: v.optional(v.string()),
});

/** The variables that Lambda sets for every function. @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html */
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
