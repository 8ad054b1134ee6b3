import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Most of the time goes by waiting for processes that the tests start.
    maxWorkers: 3,
    // It imports folders, which Node does not.
    server: { deps: { inline: ['dt-sql-parser'] } },
  },
});
