import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import cdkJson from '../../cdk.json' with { type: 'json' };
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

it.concurrent.each(['local', 'dev', 'prod'])(
  'cdk synth -c stage=%s succeeds, with no finding and no warning',
  async (stage) => {
    const { stdout, stderr, code } = await synth(stage);

    expect(code).toBe(0);
    expect(`${stdout}${stderr}`).not.toMatch(/warning|error|deprecated/i);
  },
);

it.concurrent('cdk synth succeeds with every option on, with no finding and no warning', async () => {
  const arn = (service: string, rest: string) => `arn:aws:${service}:us-east-1:123456789012:${rest}`;
  const everything = {
    ...cdkJson.context.stages.prod,
    accessLogs: true,
    alarmEmail: 'ops@example.com',
    customDomain: {
      name: 'vss.example.com',
      certificateArn: arn('acm', 'certificate/a'),
      hostedZoneId: 'Z1',
    },
    customerManagedKey: true,
    noSessionsHours: 24,
    permissionsBoundaryArn: 'arn:aws:iam::123456789012:policy/boundary',
    retentionDays: 90,
    tags: { team: 'voice' },
    webAclArn: arn('wafv2', 'regional/webacl/a/b'),
    webhookConcurrency: 100,
  };
  const longestName = 's'.repeat(20);
  const context = { ...cdkJson.context, stage: longestName, stages: { [longestName]: everything } };
  const { stderr, code } = await run(['infra/app.ts'], root, {
    ...process.env,
    CDK_OUTDIR: join(output, 'everything'),
    CDK_CONTEXT_JSON: JSON.stringify(context),
  });

  expect(stderr).toBe('');
  expect(code).toBe(0);
});

it.concurrent('cdk synth of an unknown stage fails with one clear message', async () => {
  expect(await synth('nowhere')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^There is no stage "nowhere"\. Stages in cdk\.json: local, dev, prod\./),
  });
});
