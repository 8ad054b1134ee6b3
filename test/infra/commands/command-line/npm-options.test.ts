import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { takenByNpm } from '../../../../infra/commands/command-line/npm-options.ts';
import { root } from '../../run.ts';

/** npm consumes options that do not follow `--`. */

const options = {
  stage: { type: 'string', default: 'dev' },
  reason: { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
  examples: { type: 'boolean', default: true },
  yes: { type: 'boolean', default: false },
} as const;

const taken = (args: string[], env: Record<string, string>) =>
  takenByNpm('redrive', options, args, { npm_lifecycle_event: 'redrive', ...env });

describe('takenByNpm', () => {
  it.each([
    [['send'], { npm_config_dry_run: 'true' }, 'npm run redrive -- send --dry-run'],
    [[], { npm_config_stage: 'prod' }, 'npm run redrive -- --stage prod'],
    [['prod'], { npm_config_stage: 'true' }, 'npm run redrive -- --stage prod'],
    [["it's"], { npm_config_reason: 'true' }, String.raw`npm run redrive -- --reason 'it'\''s'`],
    // It is unknown which of the two words is the value.
    [['prod', 'send'], { npm_config_stage: 'true' }, 'npm run redrive -- prod send --stage STAGE'],
    [['send', '--yes'], { npm_config_stage: 'prod' }, 'npm run redrive -- send --yes --stage prod'],
    [[], { npm_config_examples: '' }, 'npm run redrive -- --no-examples'],
  ])('for %j with %j suggests %s', (args, env, line) => {
    expect(taken(args, env)).toMatch(
      /^npm consumed --.* instead of passing it to the command\. Put options after --/,
    );
    expect(taken(args, env)?.split('\n').at(-1)?.trim()).toBe(line);
  });

  it('detects --to, which npm expands to an option of its own', () => {
    const window = { from: { type: 'string' }, to: { type: 'string' } } as const;
    const env = { npm_lifecycle_event: 'reconcile', npm_config_token_description: '2026-11-24' };

    expect(takenByNpm('reconcile', window, [], env)).toContain('npm run reconcile -- --to 2026-11-24');
  });

  it('suggests no arguments for a script that has none', () => {
    const window = { from: { type: 'string' }, to: { type: 'string' } } as const;
    const env = {
      npm_lifecycle_event: 'reconcile',
      npm_config_from: 'true',
      npm_config_token_description: 'true',
    };

    expect(takenByNpm('reconcile', window, ['2026-11-20', '2026-11-24'], env, false)).toContain(
      'npm run reconcile -- --from FROM --to TO',
    );
  });

  it.each([
    ['is set to its default', [], { npm_config_dry_run: '', npm_config_stage: '' }],
    ['is also on the command line', ['send', '--dry-run'], { npm_config_dry_run: 'true' }],
    ['is on the command line with a value', ['--stage=prod'], { npm_config_stage: 'true' }],
    ['is negated on the command line', ['--no-dry-run'], { npm_config_dry_run: 'true' }],
    ['is --yes, which many CI images set for npm', [], { npm_config_yes: 'true' }],
    ['is not an option of the command', [], { npm_config_loglevel: 'silent' }],
    [
      'belongs to a script that runs this one',
      [],
      { npm_lifecycle_event: 'test', npm_config_dry_run: 'true' },
    ],
  ])('ignores an option that %s', (_, args, env) => {
    expect(taken(args, env)).toBeUndefined();
  });

  it('makes npm run redrive send --dry-run fail before it sends anything', async () => {
    const npm = promisify(execFile)('npm', ['run', '--silent', 'redrive', 'send', '--dry-run'], {
      cwd: root,
    });

    await expect(npm).rejects.toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('\n  npm run redrive -- send --dry-run\n'),
    });
  });
});
