import * as v from 'valibot';
import { Settings } from './settings.ts';

export interface Stage {
  name: string;
  settings: Settings;
}

/** The context of the CDK app is invalid. The message tells the author of cdk.json what to fix. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError';
}

/**
 * Reads the settings of the stage that is chosen with `-c stage=…` (default `dev`).
 *
 * @throws ConfigurationError that names the invalid key, the expected value, and the stages that exist.
 */
export function readStage(stages: unknown, chosen: unknown = 'dev'): Stage {
  if (typeof stages !== 'object' || stages === null || Array.isArray(stages)) {
    throw new ConfigurationError('cdk.json has no stages: expected an object under context.stages.');
  }
  const known = new Map<string, unknown>(Object.entries(stages));
  const existing = `Stages in cdk.json: ${[...known.keys()].join(', ') || 'none'}.`;
  if (typeof chosen !== 'string' || !known.has(chosen)) {
    throw new ConfigurationError(`There is no stage "${chosen}". ${existing}`);
  }
  if (!/^[A-Za-z][A-Za-z0-9-]{0,19}$/.test(chosen)) {
    throw new ConfigurationError(
      `"${chosen}" is not a valid stage name: expected a letter, then up to 19 letters, digits or hyphens. ${existing}`,
    );
  }
  const parsed = v.safeParse(ConsistentSettings, known.get(chosen));
  if (parsed.success) return { name: chosen, settings: parsed.output };
  const problems = parsed.issues.map((issue) => `  ${describe(`context.stages.${chosen}`, issue)}`);
  throw new ConfigurationError(`Invalid settings in cdk.json:\n${problems.join('\n')}\n${existing}`);
}

/** Settings of which none contradicts another. */
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
