import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../../infra/commands/commands.ts';
import { root } from '../run.ts';
import { vssWebhook } from './vss-webhook.ts';

const NAMES = Object.keys(COMMANDS);

describe('npx vss-webhook', () => {
  it('lists every command with --help, in lines of at most 100 characters', async () => {
    const { stdout, stderr, code } = await vssWebhook(['--help']);

    expect([stderr, code]).toEqual(['', 0]);
    expect([...stdout.matchAll(/^ {2}(\w+) +\S/gm)].map(([, name]) => name)).toEqual(NAMES);
    expect(stdout.split('\n').filter((line) => line.length > 100)).toEqual([]);
  });

  it.each([
    [[], 'Missing COMMAND. See: npx vss-webhook --help\n'],
    [['qeury', '--help'], 'Unknown command "qeury". Did you mean "query"? See: npx vss-webhook --help\n'],
    [['Doctor'], 'Unknown command "Doctor". Did you mean "doctor"? See: npx vss-webhook --help\n'],
    [['frobnicate'], 'Unknown command "frobnicate". See: npx vss-webhook --help\n'],
    [['constructor'], 'Unknown command "constructor". See: npx vss-webhook --help\n'],
    [['--stage', 'prod'], 'Unknown command "--stage". See: npx vss-webhook --help\n'],
  ])('rejects %j with exit code 2', async (args, message) => {
    expect(await vssWebhook(args)).toEqual({ stdout: '', stderr: message, code: 2 });
  });

  it.each(NAMES)('%s --help describes every option, in lines of at most 90 characters', async (name) => {
    const command = await COMMANDS[name]?.();
    const { stdout, stderr, code } = await vssWebhook([name, '--help']);

    expect([stderr, code]).toEqual(['', 0]);
    expect(stdout).toMatch(new RegExp(`^Usage: npx vss-webhook ${name} `));
    for (const [option, { default: usual }] of Object.entries(command?.options ?? {}))
      expect(stdout).toMatch(new RegExp(`^ {2}--${usual === true ? 'no-' : ''}${option}\\b`, 'm'));
    expect(stdout.split('\n').filter((line) => line.length > 90)).toEqual([]);
  });

  it('lets start, doctor, smoke, redrive, reconcile, restore and erase clean up after an interruption', async () => {
    const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()));

    expect(commands.filter(({ cleansUp }) => cleansUp).map(({ name }) => name)).toEqual([
      'start',
      'doctor',
      'smoke',
      'redrive',
      'reconcile',
      'restore',
      'erase',
    ]);
  });

  it('loads no package for --help and usage errors but those that describe and parse', async () => {
    const script = `
      import { registerHooks } from 'node:module';
      const packages = new Set();
      registerHooks({ resolve(specifier, context, next) {
        if (/^[@a-z]/.test(specifier) && !specifier.startsWith('node:')) packages.add(specifier);
        return next(specifier, context);
      } });
      const { findCommand } = await import('./infra/commands/vss-webhook.ts');
      const silent = { write() {} };
      const context = { stdout: silent, stderr: silent, env: {}, cwd: '/', interrupted: new AbortController().signal };
      const codes = [];
      for (const args of ${JSON.stringify(LIGHT)})
        codes.push(await (await findCommand(args[0])).run(args.slice(1), context));
      console.log(JSON.stringify({ packages: [...packages], codes }));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      cwd: root,
    });

    const { packages, codes } = JSON.parse(stdout);
    expect(packages.toSorted()).toEqual(['fastest-levenshtein', 'valibot']);
    expect(codes).toEqual(LIGHT.map((args) => (args.includes('--help') ? 0 : 2)));
  });
});

/** Command lines that need nothing but a parser. */
const LIGHT = [
  ['--help'],
  ...NAMES.flatMap((name) => [
    [name, '--help'],
    [name, '--nonsense'],
  ]),
  ['start', '--json'],
  ['smoke', '--timeout', '0'],
  ['redrive', 'frobnicate'],
  ['reconcile', '--to', 'tomorrow'],
  ['restore', 'exports', '--as-of', 'yesterday'],
  ['query', 'exports', 'nonsense'],
  ['query', 'exports', '--file', 'nowhere.sql'],
  ['report', 'exports', '--from', 'tomorrow'],
  ['export', '--stage', 'prod'],
  ['cost', '--sessions', 'many'],
];
