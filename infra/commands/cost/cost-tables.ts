import { rmSync } from 'node:fs';
import { readSettings, synthesize } from '../../local/synthesize.ts';
import { readTemplate, type Template } from '../../local/template.ts';
import { stackName } from '../../stack-outputs.ts';
import { reasonOf } from '../../terminal/reason-of.ts';
import { UsageError } from '../command-line/command.ts';
import { exportsPerMonth, perMillion, perMonth, type Usage } from './estimate.ts';
import { type Limit, limits } from './limits.ts';
import { reconciliationPerMonth } from './reconciliation.ts';
import { sessionEventsPerMonth } from './session-events.ts';
import type { Line } from './template-figures.ts';

/**
 * The estimated cost and the limits of a stage as text tables.
 *
 * @throws UsageError if cdk.json has no such stage, or its settings are invalid.
 */
export async function costTables(stage: string, usage: Usage): Promise<string> {
  checkStage(stage);
  const assembly = await synthesize(stage);
  try {
    return tables(readTemplate(assembly, stackName(stage)), usage);
  } finally {
    rmSync(assembly, { recursive: true });
  }
}

/** @throws UsageError if cdk.json has no such stage, or its settings are invalid. */
function checkStage(stage: string): void {
  try {
    readSettings(stage);
  } catch (error) {
    throw new UsageError(reasonOf(error));
  }
}

/** The estimated cost and the limits of a template as text tables. */
export function tables(template: Template, usage: Usage): string {
  const lines: Readonly<Record<string, readonly Line[]>> = {
    'Per million sessions': perMillion(template, usage),
    'Fixed monthly cost': perMonth(template),
    'Monthly cost of exports': exportsPerMonth(template, usage),
    'Monthly cost of reconciliation': reconciliationPerMonth(template, usage.sessions),
    'Monthly cost of session events': sessionEventsPerMonth(template, usage),
  };
  const costs = Object.entries(lines)
    .filter(([, lines]) => lines.length > 0)
    .map(([title, lines]) => {
      const total = lines.reduce((sum, [, , dollars]) => sum + dollars, 0);
      return [
        [title, '', 'US$'],
        ...lines.map(([item, amount, dollars]) => [item, amount, dollars.toFixed(2)]),
        ['Total', '', total.toFixed(2)],
      ]
        .map(
          ([item = '', amount = '', dollars = '']) =>
            `${item.padEnd(40)}${amount.padStart(18)}${dollars.padStart(8)}\n`,
        )
        .join('');
    });
  return [...costs, limitsTable(limits(template, usage))].join('\n');
}

/** The limits as a text table. */
export function limitsTable(all: readonly Limit[]): string {
  return [
    ['Limits', 'Sessions/s', 'Raised by'],
    ...all.map(({ part, perSecond, raisedBy }) => [part, rounded(perSecond), raisedBy]),
  ]
    .map(
      ([part = '', perSecond = '', raisedBy]) => `${part.padEnd(40)}${perSecond.padStart(10)}  ${raisedBy}\n`,
    )
    .join('');
}

function rounded(number: number): string {
  if (!Number.isFinite(number)) return 'none';
  return number < 10 ? number.toFixed(1) : Math.floor(number).toLocaleString('en');
}
