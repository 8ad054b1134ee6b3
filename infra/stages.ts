import * as v from 'valibot';
import { Settings } from './settings.ts';

export interface Stage {
  name: string;
  settings: Settings;
}

/** What the CDK app takes from its context is not as expected. The message is for whoever wrote the context. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError';
}

/**
 * The settings of the stage chosen with `-c stage=…` (default `dev`).
 *
 * @throws ConfigurationError that names the key, what was expected, and the stages that exist.
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
      `"${chosen}" cannot name a stage: expected a letter, then up to 19 letters, digits or hyphens. ${existing}`,
    );
  }
  const parsed = v.safeParse(Settings, known.get(chosen));
  if (parsed.success) return { name: chosen, settings: parsed.output };
  const complaints = parsed.issues.map((issue) => `  ${describe(`context.stages.${chosen}`, issue)}`);
  throw new ConfigurationError(`cdk.json has faults:\n${complaints.join('\n')}\n${existing}`);
}

function describe(stage: string, issue: v.InferIssue<typeof Settings>): string {
  const path = v.getDotPath(issue);
  const key = path === null ? stage : `${stage}.${path}`;
  if (issue.type === 'strict_object') {
    if (issue.expected === 'never')
      return `${key}: no such setting. Settings: ${Object.keys(Settings.entries).join(', ')}.`;
    if (issue.expected !== 'Object') return `${key}: missing.`;
    return `${key}: expected an object.`;
  }
  return `${key}: ${issue.message}.`;
}
