import { afterAll, describe } from 'vitest';
import { convergenceSuite } from './convergence-suite.ts';
import { recorderSuite } from './create-handler-suite.ts';
import { startDynamoDbLocal } from './dynamodb-local.ts';
import { sessionTableSuite } from './session-table-suite.ts';

/**
 * Runs the suites of the recorder and its table on Amazon's own emulator too. It enforces limits that dynalite does not:
 * nesting depth, empty and overlong names, sizes of index keys. All suites are in one file, so that Java starts once.
 */

const emulator = await startDynamoDbLocal();
if ('missing' in emulator)
  console.warn(`SKIPPED: the tests of the recorder on DynamoDB Local: ${emulator.missing}.`);
else afterAll(emulator.stop);

describe.skipIf('missing' in emulator)('on DynamoDB Local', () => {
  const endpoint = 'missing' in emulator ? '' : emulator.endpoint;
  sessionTableSuite(endpoint);
  recorderSuite(endpoint);
  convergenceSuite(endpoint);
});
