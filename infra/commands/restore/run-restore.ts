import { once } from 'node:events';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { storedRecords } from '../../../functions/recorder/session-table.ts';
import { counted, duration, number } from '../../analytics/report/wording.ts';
import { print, printStatus, progress } from '../../terminal/output.ts';
import type { Context } from '../command-line/command.ts';
import { confirm } from '../command-line/confirm.ts';
import { type DeployedStage, findStage, printPlace } from '../stage/deployed-stage.ts';
import { type ExportedItem, exportedItems, exportsIn } from './exported-items.ts';
import { restoreAll, type Selection } from './restore-all.ts';
import type { Restored } from './restore-item.ts';
import { openSource, type RestoreSource } from './restore-source.ts';
import { maximumPriceText, Totals } from './totals.ts';

export interface RestoreOptions extends Selection {
  stage: string;
  source: string;
  /** ISO 8601, UTC, with milliseconds. Default: now. */
  asOf: string | undefined;
  perSecond: number;
  isDryRun: boolean;
  isConfirmed: boolean;
}

/** Merges exports into the table of a stage. Returns the exit code. */
export async function runRestore(options: RestoreOptions, context: Context): Promise<number> {
  const { stdout, interrupted } = context;
  const stage = await findStage(options.stage, context);
  printPlace(stage, context);
  const aborted = once(interrupted, 'abort').then(() => undefined);
  const source = await Promise.race([openSource(options.source, options.asOf, context), aborted]);
  if (!source || interrupted.aborted) return interruption(context);
  print(stdout, describe(source, stage, options));
  if (!options.isDryRun && !options.isConfirmed && !(await confirm('Continue?', context))) {
    print(stdout, 'Nothing was changed.');
    return interrupted.aborted ? 130 : 0;
  }

  const { totals, missing } = await restoreFrom(source, stage, options, context);
  for (const id of missing) printStatus(stdout, 'FAIL', 'not found', id);
  if (interrupted.aborted) return interruption(context);
  if (options.isDryRun)
    print(stdout, `Nothing was changed (--dry-run). A restore would cost ${totals.priceText()}.`);
  return totals.failed + missing.length > 0 ? 1 : 0;
}

function interruption({ stderr }: Context): number {
  print(stderr, 'Interrupted. Run the same command again: what is restored already stays unchanged.');
  return 130;
}

function describe(
  { restored, tableArn, itemCount }: RestoreSource,
  { outputs }: DeployedStage,
  { perSecond, isDryRun }: RestoreOptions,
): string {
  const from = `${counted(exportsIn(restored).length, 'export')} of ${tableArn ?? 'a table'}, as of ${restored.time}`;
  const size =
    itemCount === undefined
      ? 'an unknown number of items'
      : `${counted(itemCount, 'item')}, at least ${duration(itemCount / perSecond)}${isDryRun ? '' : `, ${maximumPriceText(itemCount)}`}`;
  return `From  ${from}\nInto  ${outputs.TableName}\nSize  ${size}\n`;
}

/** The most failures that are printed. */
const MAX_PRINTED = 20;

/** Restores the selected items, and prints the failures and the totals, also after an error. */
async function restoreFrom(
  { restored, newest, itemCount }: RestoreSource,
  { outputs, settings }: DeployedStage,
  options: RestoreOptions,
  { stdout, stderr, interrupted }: Context,
): Promise<{ totals: Totals; missing: string[] }> {
  const client = new DynamoDBClient(settings('dynamodb'));
  const totals = new Totals();
  const missing = new Set(options.sessionIds);
  function note({ sessionId = '', place }: ExportedItem, result: Restored): void {
    missing.delete(sessionId);
    totals.add(result);
    if (totals.all % 100 === 0)
      progress(stderr, `${number(totals.all)}${itemCount === undefined ? '' : ` of ${number(itemCount)}`}`);
    if (result.outcome !== 'failed' || totals.failed > MAX_PRINTED) return;
    progress(stderr);
    printStatus(stdout, 'FAIL', 'item', `${result.reason}: ${place}`);
  }
  try {
    await restoreAll(exportedItems(restored, newest), {
      table: storedRecords(client, outputs.TableName),
      selection: options,
      isDryRun: options.isDryRun,
      perSecond: options.perSecond,
      interrupted,
      note,
    });
  } finally {
    client.destroy();
    progress(stderr);
    print(stdout, totals.text());
  }
  return { totals, missing: interrupted.aborted ? [] : [...missing] };
}
