import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';

/** A bundle in a process of its own. */
export interface Invoker {
  /**
   * Invokes the handler with each event, one after the other. Returns what they took of the processor, in
   * milliseconds; rejects when one does not succeed.
   */
  invoke(events: readonly unknown[]): Promise<number>;
  stop(): void;
}

const PROCESS = fileURLToPath(new URL('invoker-process.ts', import.meta.url));

/** After so long it has got stuck, and is ended. */
const MOST_MS = 120_000;

/** Of a webhook, of a recorder that reports failures, or of one that throws them. */
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
  let said = '';
  child.stderr?.on('data', (text) => (said += text));
  const ended = once(child, 'close').then(([code]) => {
    throw new Error(`${bundle} ended with ${code ?? 'a signal'}: ${said}`);
  });
  // Whoever invokes it learns of it.
  ended.catch(() => {});
  return {
    async invoke(events) {
      const settled = new AbortController();
      const stuck = setTimeout(() => {
        said += `got stuck for ${MOST_MS} ms`;
        child.kill();
      }, MOST_MS);
      // Where it cannot be sent, the process has ended.
      child.send([...events], () => {});
      try {
        const [message] = await Promise.race([once(child, 'message', { signal: settled.signal }), ended]);
        const answer = v.parse(Answer, message);
        if ('error' in answer) throw new Error(`${bundle}: ${answer.error}`);
        return answer.milliseconds;
      } finally {
        clearTimeout(stuck);
        settled.abort();
      }
    },
    stop: () => void child.kill(),
  };
}
