import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { newRecord, receivedSummary } from '../../functions/vss/record.ts';
import { CHARGE_QUERIES } from '../../infra/analytics/charges/charge-queries.ts';
import { CHARGE_VIEWS } from '../../infra/analytics/charges/charge-views.ts';
import { EXPORTS_COLUMNS } from '../../infra/analytics/exports-view.ts';
import { SAVED_QUERIES } from '../../infra/analytics/saved-queries.ts';
import { columnsOf } from '../../infra/analytics/view.ts';
import { callLegs, sessions, VIEWS } from '../../infra/analytics/views.ts';
import { examples } from '../../infra/local/examples.ts';
import { readStage } from '../../infra/stages.ts';
import { summaryOf } from '../functions/summaries.ts';
import { exportOf } from './analytics/exported.ts';
import { vssWebhook } from './commands/vss-webhook.ts';
import { root } from './run.ts';
import { localSettings, templateOf } from './templates.ts';

const readmeOf = (folder: string) => readFileSync(join(root, folder, 'README.md'), 'utf8');
const settings = readmeOf('infra');
const monitoring = readmeOf('infra/monitoring');
const analytics = readmeOf('infra/analytics');
const charges = readmeOf('infra/analytics/charges');

/** The folders that have a README. */
const rooms = readdirSync(root, { recursive: true, withFileTypes: true })
  .filter(({ name, parentPath }) => name === 'README.md' && !/node_modules|cdk\.out|\.git/.test(parentPath))
  .map(({ parentPath }) => relative(root, parentPath))
  .toSorted();
const allReadmes = rooms.map(readmeOf).join('\n');

describe.each(rooms.filter((room) => /^(functions|infra)/.test(room)))('the README of %s', (room) => {
  it('lists exactly the files and folders of the folder', () => {
    const table = readmeOf(room).match(/^\| File \|.*\n\| --- .*\n((?:\| .*\n)+)/m)?.[1] ?? '';
    const named = [...table.matchAll(/^\| `([^`]+?)\/?` \| \S/gm)].map(([, name]) => name);
    const present = readdirSync(join(root, room)).filter((name) => name !== 'README.md');

    expect(named.toSorted()).toEqual(present.toSorted());
  });
});

/** All pages, such as `infra/README.md`, and what each links to: pages, files and headings. */
const pages = [...rooms.map((room) => join(room, 'README.md')), 'infra/threat-model.md'];
const linksIn = (page: string) =>
  [...readFileSync(join(root, page), 'utf8').matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([\w-]+))?\)/g)].map(
    ([link, path = '', anchor]) => ({
      link,
      target: path === '' ? page : join(dirname(page), path),
      anchor,
    }),
  );

it.each(pages)('every link in %s has an existing target', (page) => {
  for (const { link, target, anchor } of linksIn(page)) {
    expect(existsSync(join(root, target)), link).toBe(true);
    if (anchor === undefined) continue;
    const headings = readFileSync(join(root, target), 'utf8').matchAll(/^#+ (.+)$/gm);
    const anchors = [...headings].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    );
    expect(anchors, link).toContain(anchor);
  }
});

it('every page is linked in README.md, or in a page that is', () => {
  const targetsIn = (page: string) => linksIn(page).map(({ target }) => target);
  const linked = targetsIn('README.md').filter((target) => pages.includes(target));

  expect([...new Set([...linked, ...linked.flatMap(targetsIn)])]).toEqual(expect.arrayContaining(pages));
});

it.each([
  'infra/README.md#rotating-the-api-key',
  'infra/README.md#adding-a-sub-account',
  'infra/analytics/README.md#finding-sessions-by-number',
  'infra/commands/README.md#how-far-it-scales',
  'infra/threat-model.md',
])('README.md itself links to %s', (page) => {
  expect(readmeOf('')).toContain(`](${page})`);
});

it('the README has at most 250 lines', () => {
  expect(readmeOf('').split('\n').length).toBeLessThanOrEqual(250);
});

/** The settings table: the defaults by name. */
const documented = Object.fromEntries(
  [
    ...(settings.split('## Changing a setting')[0] ?? '').matchAll(
      /^\| (?<names>`[a-zA-Z`, ]+) \| .* \| (?<defaults>[^|]+) \|$/gm,
    ),
  ].flatMap(({ groups }) => {
    const names = (groups?.['names'] ?? '').match(/\w+/g) ?? [];
    const defaults = (groups?.['defaults'] ?? '').split(', ');
    return names.map((name, i) => [name, (defaults[i] ?? '').replaceAll('`', '')]);
  }),
);

it('the README has every setting with its default', () => {
  const { subAccountIds, apiKeySecretName } = localSettings;
  const { settings: defaults } = readStage({ dev: { subAccountIds, apiKeySecretName } }, 'dev');
  const readInvalidStage = () => readStage({ dev: { nonsense: 1 } }, 'dev');
  const known = [...(/Settings: (.*)\./.exec(messageOf(readInvalidStage))?.[1] ?? '').split(', ')];

  expect(known.length).toBeGreaterThan(10);
  for (const name of known) {
    const value = Object.entries(defaults).find(([key]) => key === name)?.[1];
    const isPlain = ['string', 'number', 'boolean'].includes(typeof value);
    const isGiven = name === 'subAccountIds' || name === 'apiKeySecretName';
    expect([name, documented[name]]).toEqual([
      name,
      isGiven
        ? 'required'
        : isPlain
          ? String(value)
          : expect.stringMatching(/^(none|never|false|8x8's four)$/),
    ]);
  }
});

it('the README has the output of npx vss-webhook cost, and a million sessions cost at most seven dollars', async () => {
  const { stdout, code } = await vssWebhook(['cost']);

  expect(code).toBe(0);
  const parts = stdout.trim().split(/\n\n(?=Limits )/);
  expect(parts.length).toBe(2);
  for (const part of parts) expect(readmeOf('infra/commands')).toContain(`\`\`\`\n${part}\n\`\`\``);
  const [, total] = /^Total +(\S+)$/m.exec(stdout) ?? [];
  expect(Number(total)).toBeGreaterThan(5);
  expect(Number(total)).toBeLessThanOrEqual(7);
});

it.each([
  [['--sessions', 'many'], 'Invalid --sessions "many": expected a number greater than 0\n'],
  [['--unsuccessful', '101'], 'Invalid --unsuccessful "101": expected a number from 0 to 100\n'],
  [['--stage', 'nowhere'], 'There is no stage "nowhere". Stages in cdk.json: local, dev, prod.\n'],
])('npx vss-webhook cost rejects %j', async (options, message) => {
  expect(await vssWebhook(['cost', ...options])).toEqual({ code: 2, stdout: '', stderr: message });
});

it('the README lists exactly the alarms of the stack', () => {
  const alarms = Object.values(
    templateOf({ noSessionsHours: 1, sessionEvents: true, customerManagedKey: true }).findResources(
      'AWS::CloudWatch::Alarm',
    ),
  ).map(({ Properties }) => Properties.AlarmName.replace('stack-', ''));

  expect(alarms.length).toBeGreaterThan(10);
  for (const alarm of alarms) expect(monitoring).toContain(`\`${alarm}\``);
  const [, section = ''] = /## Alarms\n(.*?)\n## /s.exec(monitoring) ?? [];
  const listed = [...section.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(
    ([, names = '']) => names.match(/\w+/g) ?? [],
  );
  expect(listed.toSorted()).toEqual(alarms.toSorted());
  for (const [, name] of allReadmes.matchAll(
    /`(Export(?:Failed|Missing|Refused|Dropped)|Registration(?:Lost|Unchecked))`/g,
  ))
    expect(alarms).toContain(name);
});

it('the README has every metric of the functions on the dashboard', () => {
  const [dashboard] = Object.values(templateOf().findResources('AWS::CloudWatch::Dashboard'));
  const body = JSON.stringify(dashboard);
  const metrics = body.matchAll(/VssWebhook\W+(\w+)\W+service|VssWebhook,service.*?MetricName\W+(\w+)/g);
  const names = new Set([...metrics].map(([, counted, searched]) => counted ?? searched));

  expect(names.size).toBeGreaterThan(8);
  for (const name of names) expect(monitoring).toContain(`\n| \`${name}\` | `);
});

it('the README has every view with its columns, and every saved query', () => {
  const rows = (columns: readonly { name: string; type: string; description: string }[]) =>
    columns.map(({ name, type, description }) => `| \`${name}\` | ${type} | ${description} |\n`).join('');

  for (const view of VIEWS) {
    // The README lists only the columns that `sessions` does not have.
    const columns = columnsOf(view).slice(0, view.name === 'session_summaries' ? 1 : undefined);
    expect(analytics).toContain(`**\`${view.name}\`** — ${view.description.toLowerCase()}.`);
    expect(analytics).toContain(`| --- | --- | --- |\n${rows(columns)}\n`);
  }
  expect(analytics).toContain(`| --- | --- | --- |\n${rows(EXPORTS_COLUMNS)}\n`);
  for (const { name, question } of SAVED_QUERIES)
    expect(analytics).toContain(`| \`${name}\` | ${question} |\n`);
  // The README lists only the columns that the views without charges do not have.
  for (const view of CHARGE_VIEWS) {
    const base = [callLegs, sessions].find(({ name }) => `${name}_with_charges` === view.name);
    const columns = columnsOf(view).slice(base === undefined ? 0 : columnsOf(base).length);
    const description = view.description.replace(/^O/, 'o');
    expect(charges).toContain(`**\`${view.name}\`** — ${description}.`);
    if (base !== callLegs) expect(charges).toContain(`| --- | --- | --- |\n${rows(columns)}\n`);
  }
  for (const { name, question } of CHARGE_QUERIES)
    expect(charges).toContain(`| \`${name}\` | ${question} |\n`);
});

it('the README has the output of the saved queries for the deliveries of npm start', async () => {
  const samples = [...analytics.matchAll(/^\$ npx vss-webhook query cdk\.out\/exports (\S+)\n(.*?)^```$/gms)];
  const records = examples.map(({ body }) =>
    newRecord(receivedSummary(summaryOf(body), '2026-11-21T00:00:00Z')),
  );
  const folder = await exportOf(records);

  expect(samples.length).toBeGreaterThan(2);
  for (const [, name = '', output] of samples)
    expect((await vssWebhook(['query', folder, name])).stdout).toBe(output);
});

it('the README has a query that finds the sessions of a number, with its output', async () => {
  const [, sql = '', output] =
    /^\$ npx vss-webhook query cdk\.out\/exports "(SELECT.*)"\n(.*?)^```$/ms.exec(analytics) ?? [];
  const records = examples.map(({ body }) =>
    newRecord(receivedSummary(summaryOf(body), '2026-11-21T00:00:00Z')),
  );

  expect(sql).toContain('destination');
  expect((await vssWebhook(['query', await exportOf(records), sql])).stdout).toBe(output);
});

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return String(error);
  }
  return '';
}
