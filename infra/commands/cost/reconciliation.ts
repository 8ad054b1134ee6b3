import { CHARGES_PREFIX } from '../../exports/bucket-prefixes.ts';
import type { Template } from '../../local/template.ts';
import prices from './prices.json' with { type: 'json' };
import { count, functionOf, gigabytes, type Line, retentionDays } from './template-figures.ts';

/** For each day, the rows of the days around it are read too. */
export const READ_DAYS = 3;

const ASSUMED = {
  /** Legs, and so rows, of a session. */
  legs: 2,
  /** A day is compared one, three and seven days later. */
  comparisons: 3,
  /** Duration of the function per million rows, and of an invocation that has nothing to compare. */
  secondsPerMillionRows: 45,
  idleSeconds: 1,
  /** Compressed size of a row. */
  rowBytes: 100,
};

const INVOCATIONS_PER_MONTH = 730;

/**
 * The monthly cost of comparing the sessions with 8x8's log export. Alarms and metrics are fixed costs of the stage.
 * The space in /tmp costs less than a tenth of a cent, and data transfer in is free.
 */
export function reconciliationPerMonth(template: Template, sessions: number): Line[] {
  const reconciliation = functionOf(template, 'Reconciliation');
  const days = retentionDays(template, CHARGES_PREFIX);
  if (!reconciliation || days === undefined) return [];
  const { perMillion, perGigabyte } = prices;
  const million = 1_000_000;
  // An eventually consistent read of a record of up to 4 KB.
  const reads = 0.5 * sessions * ASSUMED.comparisons;
  const rows = sessions * ASSUMED.legs;
  const seconds =
    (rows / million) * ASSUMED.comparisons * READ_DAYS * ASSUMED.secondsPerMillionRows +
    INVOCATIONS_PER_MONTH * ASSUMED.idleSeconds;
  const subAccounts = String(reconciliation.Environment.Variables['SUB_ACCOUNT_IDS']).split(',').length;
  // Each invocation reads the states of nine days twice. Each comparison writes rows, a result, and the state three times.
  const gets = subAccounts * INVOCATIONS_PER_MONTH * 2 * 10;
  const puts = subAccounts * 30 * ASSUMED.comparisons * 5;
  const stored = (days / 30) * rows * ASSUMED.rowBytes;
  return [
    ['DynamoDB, read units', count(reads), (reads / million) * perMillion.dynamodbReadUnits],
    [
      `Lambda, ${INVOCATIONS_PER_MONTH} invocations`,
      `${count(seconds)} s`,
      (INVOCATIONS_PER_MONTH / million) * perMillion.lambdaRequests +
        ((seconds * 1_000 * reconciliation.MemorySize) / million) * perMillion.lambdaArmMegabyteMilliseconds,
    ],
    [
      'S3, requests',
      count(gets + puts),
      (gets / million) * perMillion.s3Reads + (puts / million) * perMillion.s3Writes,
    ],
    [`S3, storage of rows for ${days} days`, gigabytes(stored), (stored / 1e9) * perGigabyte.s3Month],
  ];
}
