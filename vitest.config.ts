import { availableParallelism } from 'node:os';
import { matchesGlob, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The tests that take longest, or wait for processes: they start first, so that none is waited for alone at the end. */
const LONGEST = [
  'test/promises/no-session-is-missed.test.ts',
  'test/infra/commands/process.test.ts',
  'test/infra/commands/redrive.test.ts',
  'test/infra/commands/smoke.test.ts',
  'test/infra/synth.test.ts',
  'test/infra/commands/start.test.ts',
  'test/infra/analytics/report/page.test.ts',
  'test/infra/readme.test.ts',
  'test/faults/*.test.ts',
  'test/infra/commands/query.test.ts',
  'test/promises/*.test.ts',
  'test/infra/commands/doctor.test.ts',
  'test/infra/aws/proxy.test.ts',
  'test/fuzz/deliver-all.test.ts',
  'test/infra/local/*.test.ts',
  'test/infra/session-events/consumers.test.ts',
  'test/end-to-end.test.ts',
  'test/functions/recorder/dynamodb-local.test.ts',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const listed = LONGEST.findIndex((glob) => matchesGlob(relative(import.meta.dirname, moduleId), glob));
      return listed === -1 ? LONGEST.length : listed;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

const MINUTE = 60_000;

// What one process has compiled, the next need not.
process.env['NODE_COMPILE_CACHE'] = fileURLToPath(new URL('node_modules/.cache/compile', import.meta.url));

export default defineConfig({
  test: {
    // Only what hangs takes this long, also on a machine that is ten times slower.
    testTimeout: 15 * MINUTE,
    hookTimeout: 15 * MINUTE,
    expect: { poll: { timeout: 5 * MINUTE } },
    // Every worker loads CDK, the AWS SDK and the emulators once.
    isolate: false,
    // One more, because some files mostly wait.
    maxWorkers: availableParallelism() + 1,
    sequence: { sequencer: LongestFirst },
    reporters: ['default', './test/slowest-files.ts'],
    // Node loads the files as it does in production, which is also faster than Vite. No test mocks a module.
    experimental: { viteModuleRunner: false, nodeLoader: false },
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/surroundings.ts'],
    // Tests that run at the same time (`concurrent`) wait for a service that does not answer.
    maxConcurrency: 20,
  },
});
