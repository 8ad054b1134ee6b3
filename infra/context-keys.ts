import { distance } from 'fastest-levenshtein';
import { ConfigurationError } from './configuration-error.ts';
import { Settings } from './settings.ts';

/**
 * Rejects context keys that were probably meant as the key `stage` or as a setting: CDK ignores every key that nobody
 * reads. Not every unknown key is a mistake, because CDK adds feature flags and the context of ~/.cdk.json.
 *
 * @throws ConfigurationError that names what was probably meant.
 */
export function assertKnownKeys(context: Readonly<Record<string, unknown>>): void {
  for (const key of Object.keys(context)) {
    const letters = lettersOf(key);
    if (key !== 'stage' && key !== 'stages' && isLikeStage(letters, 'stage' in context))
      throw new ConfigurationError(`Unknown context key "${key}". Did you mean -c stage=…?`);
    const setting = Object.keys(Settings.entries).find((name) => lettersOf(name) === letters);
    if (setting !== undefined)
      throw new ConfigurationError(
        `The context key "${key}" has no effect. Did you mean the setting ${setting} of a stage? Set it in cdk.json, as context.stages.NAME.${setting}.`,
      );
  }
}

/** If no stage is chosen, two letters may be wrong. Otherwise a word such as `storage` may be the user's own. */
function isLikeStage(letters: string, isChosen: boolean): boolean {
  return letters === 'stage' || letters === 'stages' || (!isChosen && distance(letters, 'stage') <= 2);
}

function lettersOf(key: string): string {
  return key.toLowerCase().replaceAll(/[^a-z]/g, '');
}
