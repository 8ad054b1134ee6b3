import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import cdkJson from '../../cdk.json' with { type: 'json' };
import { cdkSynth } from './cdk-synth.ts';
import { run } from './run.ts';

/** Synthesis includes cdk-nag, so an unacknowledged finding fails these tests. */

const newFolder = () => mkdtempSync(join(tmpdir(), 'vss-webhook-synth-'));

it.concurrent.for(['local', 'dev', 'prod'])(
  'cdk synth -c stage=%s succeeds without findings and warnings',
  async (stage, { signal }) => {
    const synthesized =
      stage === 'local' ? inject('localAssembly') : await cdkSynth(stage, { output: newFolder(), signal });

    expect(synthesized.code).toBe(0);
    expect(`${synthesized.stdout}${synthesized.stderr}`).not.toMatch(/warning|error|deprecated/i);
  },
);

it.concurrent('cdk synth succeeds with every option, without findings and warnings', async ({ signal }) => {
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
    exportVersioning: true,
    permissionsBoundaryArn: 'arn:aws:iam::123456789012:policy/boundary',
    retentionDays: 90,
    sessionEvents: { outcomes: 'unsuccessful', phoneNumbers: true },
    tags: { team: 'voice' },
    webAclArn: arn('wafv2', 'regional/webacl/a/b'),
    webhookConcurrency: 100,
  };
  const longestName = 's'.repeat(20);
  const context = { ...cdkJson.context, stage: longestName, stages: { [longestName]: everything } };
  const { stderr, code } = await run(['infra/app.ts'], {
    env: { ...process.env, CDK_OUTDIR: newFolder(), CDK_CONTEXT_JSON: JSON.stringify(context) },
    signal,
  });

  expect(stderr).toBe('');
  expect(code).toBe(0);
});

it.concurrent('cdk synth fails for an unknown stage, and lists the stages', async ({ signal }) => {
  expect(await cdkSynth('nowhere', { output: newFolder(), signal })).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^There is no stage "nowhere"\. Stages in cdk\.json: local, dev, prod\./),
  });
});
