import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { readStage } from '../../infra/config.ts';
import { localSettings } from './templates.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

/** The rows of the table of settings: name → default. */
const documented = Object.fromEntries(
  [...readme.matchAll(/^\| (?<names>`[a-zA-Z`, ]+) \| .* \| (?<defaults>[^|]+) \|$/gm)].flatMap(
    ({ groups }) => {
      const names = (groups?.['names'] ?? '').match(/\w+/g) ?? [];
      const defaults = (groups?.['defaults'] ?? '').split(', ');
      return names.map((name, i) => [name, (defaults[i] ?? '').replaceAll('`', '')]);
    },
  ),
);

it('README has every setting, with its default', () => {
  const { subAccountIds, apiKeySecretName } = localSettings;
  const { settings } = readStage({ dev: { subAccountIds, apiKeySecretName } });
  const complaint = () => readStage({ dev: { nonsense: 1 } });
  const known = [...(/Settings: (.*)\./.exec(messageOf(complaint))?.[1] ?? '').split(', ')];

  expect(known.length).toBeGreaterThan(10);
  for (const name of known) {
    const value = Object.entries(settings).find(([key]) => key === name)?.[1];
    const isPlain = ['string', 'number', 'boolean'].includes(typeof value);
    const isGiven = name === 'subAccountIds' || name === 'apiKeySecretName';
    expect([name, documented[name]]).toEqual([
      name,
      isGiven ? 'required' : isPlain ? String(value) : expect.stringMatching(/^(none|never|8x8's four)$/),
    ]);
  }
});

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return String(error);
  }
  return '';
}
