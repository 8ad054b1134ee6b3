import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';

/** What a platform team types. cdk-nag is part of it: one finding that is not acknowledged makes it fail. */

const root = fileURLToPath(new URL('../..', import.meta.url));
const output = mkdtempSync(join(tmpdir(), 'vss-webhook-synth-'));
afterAll(() => rmSync(output, { recursive: true }));

function synth(stage: string) {
  const cdk = join(root, 'node_modules/aws-cdk/bin/cdk');
  const args = [cdk, 'synth', '--quiet', '-c', `stage=${stage}`, '--output', join(output, stage)];
  return promisify(execFile)(process.execPath, args, { cwd: root });
}

it.each(['local', 'dev', 'prod'])(
  'cdk synth -c stage=%s succeeds, with no finding and no warning',
  async (stage) => {
    const { stdout, stderr } = await synth(stage);

    expect(`${stdout}${stderr}`).not.toMatch(/warning|error|deprecated/i);
  },
);

it('cdk synth of an unknown stage fails with one clear message', async () => {
  await expect(synth('nowhere')).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^There is no stage "nowhere"\. Stages in cdk\.json: local, dev, prod\./),
  });
});
