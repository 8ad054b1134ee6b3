import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { readStage } from '../../infra/config.ts';
import { run } from './run.ts';
import { localSettings, templateOf } from './templates.ts';

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

it('README has what npm run cost prints, and a million sessions cost no more than seven dollars', async () => {
  const { stdout, code } = await run(['infra/ops/cost.ts']);

  expect(code).toBe(0);
  expect(readme).toContain(stdout.trim());
  const [, total] = /^Total +(\S+)$/m.exec(stdout) ?? [];
  expect(Number(total)).toBeGreaterThan(5);
  expect(Number(total)).toBeLessThanOrEqual(7);
});

it('npm run cost takes other numbers, and refuses what is none', async () => {
  expect((await run(['infra/ops/cost.ts', '--webhook-ms', '50'])).stdout).toContain('1,000,000 of 50 ms');
  expect(await run(['infra/ops/cost.ts', '--sessions', 'many'])).toMatchObject({
    code: 1,
    stderr: '--sessions takes a number greater than 0, not "many"\n',
  });
});

it('README has every alarm', () => {
  const alarms = Object.values(
    templateOf({ noSessionsHours: 1 }).findResources('AWS::CloudWatch::Alarm'),
  ).map(({ Properties }) => Properties.AlarmName.replace('stack-', ''));

  expect(alarms.length).toBeGreaterThan(10);
  for (const alarm of alarms) expect(readme).toContain(`\`${alarm}\``);
});

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return String(error);
  }
  return '';
}
