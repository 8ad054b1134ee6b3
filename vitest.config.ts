import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** They run commands and whole stacks: a minute in all, which is waited for when they come last. */
const LONG = /test.(faults|fuzz|infra.(synth|readme|ops.redrive|local.start|analytics.(report|query)))/;

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const { long = [], short = [] } = Object.groupBy(sorted, ({ moduleId }) =>
      LONG.test(moduleId) ? 'long' : 'short',
    );
    return [...long, ...short];
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    sequence: { sequencer: LongFirst },
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
