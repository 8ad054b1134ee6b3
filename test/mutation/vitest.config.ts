import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/mutation/tests.ts'],
    // How long something takes finds no mutant that the others do not.
    testNamePattern: /^(?!.*takes time that grows)/,
    env: { PROPERTY_RUNS: '5' },
    testTimeout: 30_000,
  },
});
