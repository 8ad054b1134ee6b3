import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { newRecord, receivedSummary } from '../../../functions/vss/record.ts';
import { summaryBody, summaryOf } from '../../functions/summaries.ts';
import { chargeRow, writeCharges } from '../analytics/charged.ts';
import { addIncrement, exportOf, newFolder } from '../analytics/exported.ts';
import { cardIn, textOf } from '../analytics/report/report-of.ts';
import { vssWebhook } from './vss-webhook.ts';

/** `npx vss-webhook report` writes the page that was asked for, or says in one line why it cannot. */

const record = (payload: Readonly<Record<string, unknown>>) =>
  newRecord(receivedSummary(summaryOf(summaryBody(payload)), '2026-11-12T10:10:00.000Z'));
const at = (sessionId: string, startTime: string, payload: object = {}) =>
  record({ sessionId, startTime, ...payload });

const command = (args: readonly string[], cwd?: string) => vssWebhook(['report', ...args], { cwd });

/** Two exports with a gap between them, and charges of which one file and one line are damaged. */
let folder: string;
beforeAll(async () => {
  folder = await exportOf([at('a', '2026-11-10T10:00:00Z'), at('b', '2026-11-12T10:00:00Z')], {
    time: '2026-11-12T12:00:00Z',
  });
  addIncrement(folder, '2026-11-13T12:00:00Z', '2026-11-14T12:00:00Z', [
    {
      sessionId: 'c',
      written: Date.parse('2026-11-14T11:00:00Z') * 1000,
      newImage: {
        ...at('c', '2026-11-14T11:00:00Z', { subAccountId: 'other' }),
        receivedAt: '2026-11-14T11:00:00Z',
      },
    },
  ]);
  const charge = (id: string, day: string) => chargeRow(id, '1', { InitiatedAt: `${day}T10:00:00Z` });
  writeCharges(folder, { day: '2026-11-10', rows: [charge('a', '2026-11-10')] });
  writeFileSync(writeCharges(folder, { day: '2026-11-12', rows: [] }), 'damaged');
  writeFileSync(
    writeCharges(folder, { day: '2026-11-11', subAccountId: 'a&b', rows: [] }),
    `${JSON.stringify(charge('d', '2026-11-11'))}\n{"SessionId": \n`,
  );
});

describe('npx vss-webhook report', () => {
  it('writes the page, replaces an existing file, and prints what it covers and as of when the data is', async () => {
    const out = join(newFolder(), 'page.html');
    writeFileSync(out, 'an older report, which is longer'.repeat(100_000));

    const { stdout, code } = await command([folder, '--out', out]);

    expect(stdout).toBe(`${out}: 3 sessions, 2026-11-10 to 2026-11-14, data as of 2026-11-14 12:00 UTC\n`);
    expect(code).toBe(0);
    const page = readFileSync(out, 'utf8');
    expect(page).toMatch(/^<!doctype html>.*<\/html>\n$/s);
    // What the terminal says about missing data stands on the page too, because the page is passed on.
    expect(textOf(/<aside.*<\/aside>/s.exec(page)?.[0] ?? '')).toBe(
      [
        'The data is incomplete',
        '2026-11-12 12:00 to 2026-11-13 12:00 : No export contains the changes of this time. Sessions that were recorded then are missing, so its numbers are too low; those that changed then have an older status.',
        '2026-11-11 : 1 of 2 charges of sub-account a&amp;b are missing, because their file is damaged. The costs of this day (UTC) are too low.',
        '2026-11-12 : The charges of sub-account 8x8_test are missing, because their file is damaged. The costs of this day (UTC) are too low.',
      ].join(' '),
    );
    expect(cardIn(page, 'Outcomes over time')).toContain(
      '2026-11-11 0 2026-11-12 (incomplete) 1 2026-11-13 (incomplete) 0 2026-11-14 (incomplete) 1',
    );
  });

  it('writes to report.html by default, and warns on the page of only incremental exports', async () => {
    const cwd = newFolder();
    const source = newFolder();
    addIncrement(source, '2026-11-13T12:00:00Z', '2026-11-14T12:00:00Z', []);

    const { stdout } = await command([source], cwd);

    expect(stdout).toBe('report.html: 0 sessions, data as of 2026-11-14 12:00 UTC\n');
    expect(existsSync(join(cwd, 'report.html'))).toBe(true);
    expect(readFileSync(join(cwd, 'report.html'), 'utf8')).toContain(
      '<li><b>Before 2026-11-13 12:00</b>: There are only incremental exports, and no full one.',
    );
  });

  it.each([
    {
      args: [],
      message: 'Missing EXPORT: expected a folder or s3://BUCKET/PREFIX. See: npx vss-webhook report --help',
      expected: 2,
    },
    { args: ['/nowhere'], message: expect.stringContaining('/nowhere'), expected: 1 },
  ])('prints on one line what is wrong with $args', async ({ args, message, expected }) => {
    const { stdout, stderr, code } = await command(args);

    expect(stderr.trimEnd()).toEqual(message);
    expect(stderr.trimEnd()).not.toContain('\n');
    expect(stdout).toBe('');
    expect(code).toBe(expected);
  });

  it.each([
    {
      args: ['--sub-account', '8x8_tset'],
      message: 'Unknown sub-account "8x8_tset". Did you mean "8x8_test"? The data has: 8x8_test, other.',
    },
    { args: ['--country', 'sgp'], message: 'Unknown country "SGP". The data has: ??.' },
    {
      args: ['--from', '2026-11-15'],
      message:
        '--from 2026-11-15 is after the data, which is as of 2026-11-14 12:00 UTC. Create a newer export, or name an earlier day.',
    },
    {
      args: ['--from', '2026-11-15', '--to', '2026-11-14'],
      message: '--from 2026-11-15 is after --to 2026-11-14.',
    },
  ])('refuses $args, which would make an empty page', async ({ args, message }) => {
    const { stdout, stderr, code } = await command([folder, ...args]);
    const last = stderr.trimEnd().split('\n').at(-1);

    expect(last).toBe(message);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  it('fails when the folder of the page does not exist', async () => {
    const { stderr, code } = await command([folder, '--out', '/nowhere/page.html']);

    expect(stderr).toContain(
      'The folder /nowhere does not exist: create it, or name another file with --out.\n',
    );
    expect(code).toBe(1);
  });
});
