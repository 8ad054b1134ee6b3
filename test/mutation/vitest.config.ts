import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/mutation/tests.ts'],
    // These tests measure time. They kill no mutant that the others do not kill.
    testNamePattern: /^(?!.*takes time that grows)/,
    env: { PROPERTY_RUNS: '5' },
    testTimeout: 30_000,
  },
});
