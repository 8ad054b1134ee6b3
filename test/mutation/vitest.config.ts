import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/mutation/tests.ts'],
    // How long something takes finds no mutant that the others do not.
    testNamePattern: /^(?!.*takes time that grows)/,
    // Not UTC: a time that is taken for local time must be noticed.
    env: { PROPERTY_RUNS: '5', TZ: 'Asia/Singapore' },
    testTimeout: 30_000,
  },
});
