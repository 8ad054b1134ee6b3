import { defineConfig } from 'vitest/config';

/** The tests that mutation testing runs: those of the functions, with few runs of each property. */
export default defineConfig({
  test: {
    include: [
      'test/functions/vss/*.test.ts',
      'test/functions/recorder/{create-handler,isolate,item,record-session,retry-policy,transient-fault}.test.ts',
    ],
    // A mutant that survives these is not found by how long something takes.
    testNamePattern: /^(?!.*takes time that grows)/,
    env: { PROPERTY_RUNS: '10' },
    testTimeout: 30_000,
  },
});
