import { createRequire } from 'node:module';

/**
 * Runs in a separate process (`invoker.ts`): loads a bundle, and invokes its handler sequentially with the events that
 * it receives. Responds with their CPU time in milliseconds.
 */
type Handler = (event: unknown, context: object) => Promise<unknown>;

const { handler }: { handler: Handler } = createRequire(import.meta.url)(process.argv[2] ?? '');
const context = { getRemainingTimeInMillis: () => 30_000 };

process.on('message', async (events: unknown[]) => {
  try {
    const before = process.cpuUsage();
    const results: unknown[] = [];
    for (const event of events) results.push(await handler(event, context));
    const { user, system } = process.cpuUsage(before);
    process.send?.({ milliseconds: (user + system) / 1_000, results });
  } catch (error) {
    process.send?.({ error: String(error) });
  }
});
