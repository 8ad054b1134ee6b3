import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { newRecord, receivedSummary } from '../../functions/vss/record.ts';
import { SAVED_QUERIES } from '../../infra/analytics/saved-queries.ts';
import { columnsOf } from '../../infra/analytics/view.ts';
import { EXPORTS_COLUMNS, VIEWS } from '../../infra/analytics/views.ts';
import { readStage } from '../../infra/config.ts';
import { examples } from '../../infra/local/examples.ts';
import { summaryOf } from '../functions/summaries.ts';
import { exportOf } from './analytics/exported.ts';
import { run } from './run.ts';
import { localSettings, templateOf } from './templates.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

/** The rows of the table of settings: name → default. */
const documented = Object.fromEntries(
  [
    ...(readme.split('### Changing a setting')[0] ?? '').matchAll(
      /^\| (?<names>`[a-zA-Z`, ]+) \| .* \| (?<defaults>[^|]+) \|$/gm,
    ),
  ].flatMap(({ groups }) => {
    const names = (groups?.['names'] ?? '').match(/\w+/g) ?? [];
    const defaults = (groups?.['defaults'] ?? '').split(', ');
    return names.map((name, i) => [name, (defaults[i] ?? '').replaceAll('`', '')]);
  }),
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
    code: 2,
    stderr: '--sessions takes a number greater than 0, not "many"\n',
  });
  expect((await run(['infra/ops/cost.ts', '--unsuccessful', '0'])).stdout).toMatch(/write units +1,428,571/);
  expect(await run(['infra/ops/cost.ts', '--unsuccessful', '101'])).toMatchObject({ code: 2 });
});

it('README has every alarm, and none that does not exist', () => {
  const alarms = Object.values(
    templateOf({ noSessionsHours: 1 }).findResources('AWS::CloudWatch::Alarm'),
  ).map(({ Properties }) => Properties.AlarmName.replace('stack-', ''));

  expect(alarms.length).toBeGreaterThan(10);
  for (const alarm of alarms) expect(readme).toContain(`\`${alarm}\``);
  const [, section = ''] = /### Alarms\n(.*?)\n### /s.exec(readme) ?? [];
  const listed = [...section.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(
    ([, names = '']) => names.match(/\w+/g) ?? [],
  );
  expect(listed.toSorted()).toEqual(alarms.toSorted());
  for (const [, name] of readme.matchAll(
    /`(Export(?:Failed|Missing|Refused|Dropped)|Registration(?:Lost|Unchecked))`/g,
  ))
    expect(alarms).toContain(name);
});

it('README has every metric that the dashboard shows of the functions', () => {
  const [dashboard] = Object.values(templateOf().findResources('AWS::CloudWatch::Dashboard'));
  const body = JSON.stringify(dashboard);
  const metrics = body.matchAll(/VssWebhook\W+(\w+)\W+service|VssWebhook,service.*?MetricName\W+(\w+)/g);
  const names = new Set([...metrics].map(([, counted, searched]) => counted ?? searched));

  expect(names.size).toBeGreaterThan(8);
  for (const name of names) expect(readme).toContain(`\n| \`${name}\` | `);
});

it('README has every view with its columns, and every saved query', () => {
  const rows = (columns: readonly { name: string; type: string; description: string }[]) =>
    columns.map(({ name, type, description }) => `| \`${name}\` | ${type} | ${description} |\n`).join('');

  for (const view of VIEWS) {
    // Of these only what `sessions` does not have.
    const columns = columnsOf(view).slice(0, view.name === 'session_summaries' ? 1 : undefined);
    expect(readme).toContain(`**\`${view.name}\`** — ${view.description.toLowerCase()}.`);
    expect(readme).toContain(`| --- | --- | --- |\n${rows(columns)}\n`);
  }
  expect(readme).toContain(`| --- | --- | --- |\n${rows(EXPORTS_COLUMNS)}\n`);
  for (const { name, question } of SAVED_QUERIES) expect(readme).toContain(`| \`${name}\` | ${question} |\n`);
});

it('README has what the saved queries print of what npm start delivers', async () => {
  const samples = [...readme.matchAll(/^\$ npm run query -- cdk\.out\/exports (\S+)\n(.*?)^```$/gms)];
  const records = examples.map(({ body }) =>
    newRecord(receivedSummary(summaryOf(body), '2026-11-21T00:00:00Z')),
  );
  const folder = await exportOf(records);

  expect(samples.length).toBeGreaterThan(2);
  for (const [, name = '', output] of samples)
    expect((await run(['infra/analytics/query.ts', folder, name])).stdout).toBe(output);
});

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return String(error);
  }
  return '';
}
