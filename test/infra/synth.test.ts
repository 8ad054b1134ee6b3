import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { root, run } from './run.ts';

/** What a platform team types. cdk-nag is part of it: one finding that is not acknowledged makes it fail. */

const output = mkdtempSync(join(tmpdir(), 'vss-webhook-synth-'));
afterAll(() => rmSync(output, { recursive: true }));

const synth = (stage: string) =>
  run([
    join(root, 'node_modules/aws-cdk/bin/cdk'),
    'synth',
    '--quiet',
    '-c',
    `stage=${stage}`,
    '--output',
    join(output, stage),
  ]);

it.each(['local', 'dev', 'prod'])(
  'cdk synth -c stage=%s succeeds, with no finding and no warning',
  async (stage) => {
    const { stdout, stderr, code } = await synth(stage);

    expect(code).toBe(0);
    expect(`${stdout}${stderr}`).not.toMatch(/warning|error|deprecated/i);
  },
);

it('cdk synth of an unknown stage fails with one clear message', async () => {
  expect(await synth('nowhere')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^There is no stage "nowhere"\. Stages in cdk\.json: local, dev, prod\./),
  });
});
