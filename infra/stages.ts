import * as v from 'valibot';
import { isJsonObject } from '../functions/vss/json.ts';
import { ConfigurationError } from './configuration-error.ts';
import { Settings } from './settings.ts';

export interface Stage {
  name: string;
  settings: Settings;
}

/**
 * Reads the settings of the stage that is chosen with `-c stage=…`. There is no default: a command without that option
 * could deploy, or destroy, a stage that was not meant.
 *
 * @throws ConfigurationError that names the invalid key, the expected value, and the stages that exist.
 */
export function readStage(stages: unknown, chosen: unknown): Stage {
  if (typeof stages === 'string')
    throw new ConfigurationError(`"${stages}" replaces all stages. Did you mean -c stage=${stages}?`);
  if (!isJsonObject(stages)) {
    throw new ConfigurationError('cdk.json has no stages: expected an object under context.stages.');
  }
  const known = new Map<string, unknown>(Object.entries(stages));
  const existing = `Stages in cdk.json: ${[...known.keys()].join(', ') || 'none'}.`;
  if (chosen === undefined)
    throw new ConfigurationError(`No stage is chosen: use -c stage=NAME. ${existing}`);
  if (typeof chosen !== 'string' || !known.has(chosen)) {
    throw new ConfigurationError(`There is no stage "${chosen}". ${existing}`);
  }
  if (!/^[A-Za-z][A-Za-z0-9-]{0,19}$/.test(chosen)) {
    throw new ConfigurationError(
      `"${chosen}" is not a valid stage name: expected a letter, then up to 19 letters, digits or hyphens. ${existing}`,
    );
  }
  const parsed = v.safeParse(ConsistentSettings, known.get(chosen));
  if (parsed.success) {
    assertOwnSubAccounts(chosen, parsed.output, known);
    return { name: chosen, settings: parsed.output };
  }
  const problems = parsed.issues.map((issue) => `  ${describe(`context.stages.${chosen}`, issue)}`);
  throw new ConfigurationError(`Invalid settings in cdk.json:\n${problems.join('\n')}\n${existing}`);
}

/**
 * Rejects a sub-account that another stage has too: 8x8 delivers to one VSS webhook per sub-account, so two stages would
 * take it from each other. The stage `local` registers no webhook at 8x8.
 *
 * @throws ConfigurationError
 */
function assertOwnSubAccounts(
  chosen: string,
  { subAccountIds }: Settings,
  stages: ReadonlyMap<string, unknown>,
): void {
  if (chosen === LOCAL) return;
  for (const [name, other] of stages) {
    if (name === chosen || name === LOCAL || !isJsonObject(other)) continue;
    const others = other['subAccountIds'];
    const shared = Array.isArray(others) ? subAccountIds.find((id) => others.includes(id)) : undefined;
    if (shared !== undefined)
      throw new ConfigurationError(
        `The stages ${chosen} and ${name} in cdk.json have the same sub-account, ${shared}. 8x8 delivers the summaries of a sub-account to one webhook: remove it from one of the stages.`,
      );
  }
}

/** The stage of `npm start`, which cannot be deployed. */
export const LOCAL = 'local';

/** Settings, with cross-field checks. */
const ConsistentSettings = v.pipe(
  Settings,
  v.forward(
    v.partialCheck(
      [['exports'], ['exportRetentionDays'], ['fullExportDays']],
      ({ exports, exportRetentionDays, fullExportDays }) =>
        !exports || exportRetentionDays >= fullExportDays + RETENTION_MARGIN_DAYS,
      'expected at least two days more than fullExportDays, so that the newest full export is always retained',
    ),
    ['exportRetentionDays'],
  ),
);

/** A full export may be late, and one day passes until S3 deletes an expired object. */
const RETENTION_MARGIN_DAYS = 2;

function describe(stage: string, issue: v.InferIssue<typeof ConsistentSettings>): string {
  const path = v.getDotPath(issue);
  const key = path === null ? stage : `${stage}.${path}`;
  if (issue.type === 'strict_object') {
    if (issue.expected === 'never') {
      const isTopLevel = issue.path?.length === 1;
      return `${key}: unknown setting.${isTopLevel ? ` Settings: ${Object.keys(Settings.entries).join(', ')}.` : ''}`;
    }
    if (issue.expected !== 'Object') return `${key}: missing.`;
    return `${key}: expected an object.`;
  }
  return `${key}: ${issue.message}.`;
}
