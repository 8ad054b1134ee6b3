import { afterAll, describe } from 'vitest';
import { convergenceSuite } from './convergence-suite.ts';
import { recorderSuite } from './create-handler-suite.ts';
import { startDynamoDbLocal } from './dynamodb-local.ts';
import { sessionTableSuite } from './session-table-suite.ts';

/**
 * What the recorder and its table promise on dynalite, they promise on Amazon's own emulator too. That one knows limits
 * that dynalite does not: levels of nesting, names that are empty or too long, the sizes of keys of an index. All in one
 * file, so that Java starts once.
 */

const emulator = await startDynamoDbLocal();
if ('missing' in emulator)
  console.warn(`SKIPPED: the recorder is not tried on DynamoDB Local: ${emulator.missing}.`);
else afterAll(emulator.stop);

describe.skipIf('missing' in emulator)('on DynamoDB Local', () => {
  const endpoint = 'missing' in emulator ? '' : emulator.endpoint;
  sessionTableSuite(endpoint);
  recorderSuite(endpoint);
  convergenceSuite(endpoint);
});
