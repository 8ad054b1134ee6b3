import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';

/** A bundle in a separate process. */
export interface Invoker {
  /** Invokes the handler sequentially with each event. Returns their CPU time in milliseconds. Rejects if one fails. */
  invoke(events: readonly unknown[]): Promise<number>;
  stop(): void;
}

const PROCESS = fileURLToPath(new URL('invoker-process.ts', import.meta.url));

/** A process that takes longer hangs, and is killed. */
const TIMEOUT_MS = 120_000;

/** The response of a webhook, of a recorder that reports failures, or of one that throws them. */
const Success = v.union([
  v.object({ statusCode: v.literal(200) }),
  v.object({ batchItemFailures: v.pipe(v.array(v.unknown()), v.length(0)) }),
  v.strictObject({}),
]);

const Answer = v.union([
  v.object({ milliseconds: v.number(), results: v.array(Success) }),
  v.object({ error: v.string() }),
]);

export function startInvoker(bundle: string, environment: Readonly<Record<string, string>>): Invoker {
  const child: ChildProcess = fork(PROCESS, [bundle], {
    env: environment,
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let output = '';
  child.stderr?.on('data', (text) => (output += text));
  const exited = once(child, 'close').then(([code]) => {
    throw new Error(`${bundle} exited with ${code ?? 'a signal'}: ${output}`);
  });
  // The error is reported by `invoke`.
  exited.catch(() => {});
  return {
    async invoke(events) {
      const settled = new AbortController();
      const timeout = setTimeout(() => {
        output += `no result within ${TIMEOUT_MS} ms`;
        child.kill();
      }, TIMEOUT_MS);
      // If sending fails, the process has exited, which rejects below.
      child.send([...events], () => {});
      try {
        const [message] = await Promise.race([once(child, 'message', { signal: settled.signal }), exited]);
        const answer = v.parse(Answer, message);
        if ('error' in answer) throw new Error(`${bundle}: ${answer.error}`);
        return answer.milliseconds;
      } finally {
        clearTimeout(timeout);
        settled.abort();
      }
    },
    stop: () => void child.kill(),
  };
}
