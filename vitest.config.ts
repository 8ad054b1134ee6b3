import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Most of the time goes by waiting for processes that the tests start.
    maxWorkers: 4,
    // Tests that run at the same time (`concurrent`) wait for a service that does not answer.
    maxConcurrency: 20,
    // Many tests run the project's commands, each in a process of its own: what one has compiled, the others need not.
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('node_modules/.cache/compile', import.meta.url)) },
    // It imports folders, which Node does not.
    server: { deps: { inline: ['dt-sql-parser'] } },
  },
});
