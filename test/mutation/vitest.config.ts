import { basename } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Tests that take seconds. A mutant is done with the first test that fails, and mostly fails a fast one. */
const SLOW = ['event.test.ts', 'json.test.ts', 'lossless.test.ts', 'record.test.ts'];

class FastestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isSlow = ({ moduleId }: TestSpecification) => Number(SLOW.includes(basename(moduleId)));
    return (await super.sort(files)).toSorted((a, b) => isSlow(a) - isSlow(b));
  }
}

/** The tests that mutation testing runs: those of the functions, with few runs of each property. */
export default defineConfig({
  test: {
    include: [
      'test/functions/vss/*.test.ts',
      'test/functions/recorder/{create-handler,isolate,item,record-session,retry-policy,transient-fault}.test.ts',
    ],
    // A mutant that survives these is not found by how long something takes.
    testNamePattern: /^(?!.*takes time that grows)/,
    env: { PROPERTY_RUNS: '5' },
    testTimeout: 30_000,
    sequence: { sequencer: FastestFirst },
  },
});
