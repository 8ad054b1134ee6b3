import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import * as v from 'valibot';
import { expect, it, onTestFinished, vi } from 'vitest';
import cdkJson from '../../cdk.json' with { type: 'json' };
import { addStage } from '../../infra/add-stage.ts';
import { localAssembly } from '../local-assembly.ts';
import { run } from './run.ts';

/**
 * What is deployed passes cdk-nag and CDK's validation. The stage `local` is synthesized as a user does it, by `cdk
 * synth`; the others by the same app in this process, because loading the rules takes most of the time of `cdk synth`.
 */

const Report = v.object({
  pluginReports: v.array(
    v.object({ pluginName: v.string(), conclusion: v.string(), violations: v.array(v.unknown()) }),
  ),
});

/** CDK's own validation is only reported if it finds something. */
const NO_FINDINGS = ['AwsSolutions', 'Serverless'].map((pluginName) => ({
  pluginName,
  conclusion: 'success',
  violations: [],
}));

const readReport = (assembly: string) =>
  v.parse(Report, JSON.parse(readFileSync(join(assembly, 'validation-report.json'), 'utf8'))).pluginReports;

const arn = (service: string, rest: string) => `arn:aws:${service}:us-east-1:123456789012:${rest}`;

const everyOption = {
  ...cdkJson.context.stages.prod,
  accessLogs: true,
  alarmEmail: 'ops@example.com',
  customDomain: { name: 'vss.example.com', certificateArn: arn('acm', 'certificate/a'), hostedZoneId: 'Z1' },
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
const stages = { ...cdkJson.context.stages, [longestName]: everyOption };

it('cdk synth -c stage=local succeeds without findings and warnings', async () => {
  const { code, stdout, stderr, folder } = await localAssembly();

  expect(`${stdout}${stderr}`).not.toMatch(/warning|error|deprecated/i);
  expect(code).toBe(0);
  expect(readReport(folder)).toEqual(NO_FINDINGS);
});

// The one with all types of resources comes first: the rules are loaded again for a type that is new.
it.each([
  ['every option and the longest name', longestName],
  ['the settings of prod', 'prod'],
  ['the settings of dev', 'dev'],
])('a stage with %s has no findings and warnings', (_, stage) => {
  vi.stubEnv('JSII_DEPRECATED', 'fail');
  onTestFinished(() => void vi.unstubAllEnvs());
  const outdir = mkdtempSync(join(tmpdir(), 'vss-webhook-synth-'));
  const app = new App({ context: { ...cdkJson.context, stages, stage }, outdir });

  const stack = addStage(app);
  app.synth();

  expect(readReport(outdir)).toEqual(NO_FINDINGS);
  expect(Annotations.fromStack(stack).findWarning('*', Match.anyValue())).toEqual([]);
});

it('cdk synth fails for an unknown stage, and lists the stages', async () => {
  const context = { ...cdkJson.context, stage: 'nowhere' };
  const env = { ...process.env, CDK_CONTEXT_JSON: JSON.stringify(context) };

  expect(await run(['infra/app.ts'], { env })).toEqual({
    stdout: '',
    stderr: 'There is no stage "nowhere". Stages in cdk.json: local, dev, prod.\n',
    code: 1,
  });
});
