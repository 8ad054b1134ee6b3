import { pollQueue } from './event-source.ts';
import { runPipe } from './pipe.ts';
import type { ProvisioningContext, Schedule } from './provisioning-context.ts';

/** Starts the pollers of all event sources. Returns a function that waits until they have stopped. */
export function startPolling(
  { sqs, eventSources }: ProvisioningContext,
  { log, concurrency = 1 }: { log: (line: string) => void; concurrency?: number },
  signal: AbortSignal,
): () => Promise<void> {
  const polling = eventSources.flatMap((source) =>
    Array.from({ length: concurrency }, () => pollQueue(sqs, source, signal, log)),
  );
  return async () => void (await Promise.all(polling));
}

/** Starts all pipes. Returns a function that waits until they have stopped. */
export function startPipes(
  { pipes, streams, events, sqs }: ProvisioningContext,
  log: (line: string) => void,
  signal: AbortSignal,
): () => Promise<void> {
  const running = [...pipes.values()].map((pipe) =>
    runPipe(pipe, streams.find(pipe.properties.Source).read(signal), { events, sqs, log }, signal),
  );
  return async () => void (await Promise.all(running));
}

/** Invokes a function immediately, like a new schedule, and then at its interval until the signal aborts. */
export function runOnSchedule(
  { minutes, target, event }: Schedule,
  signal: AbortSignal,
  log: (line: string) => void,
): void {
  const invoke = () =>
    target.invoke(event).catch((error: Error) => signal.aborted || log(`Schedule: ${error.message}`));
  const timer = setInterval(invoke, minutes * 60_000);
  signal.addEventListener('abort', () => clearInterval(timer));
  void invoke();
}
