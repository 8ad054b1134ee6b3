import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { expect, it } from 'vitest';
import cdkJson from '../../cdk.json' with { type: 'json' };
import { localAssembly } from '../local-assembly.ts';
import { run } from './run.ts';

/** What is deployed passes cdk-nag and CDK's validation. */

const Report = v.object({
  pluginReports: v.array(
    v.object({ pluginName: v.string(), conclusion: v.string(), violations: v.array(v.unknown()) }),
  ),
});

it('cdk synth succeeds without findings and warnings for every stage in cdk.json and for every option', async () => {
  const { code, stdout, stderr, folder } = await localAssembly();
  const report = JSON.parse(readFileSync(join(folder, 'validation-report.json'), 'utf8'));

  expect(`${stdout}${stderr}`).not.toMatch(/warning|error|deprecated/i);
  expect(code).toBe(0);
  // CDK's own validation is only reported if it finds something.
  expect(v.parse(Report, report).pluginReports).toEqual(
    ['AwsSolutions', 'Serverless'].map((pluginName) => ({
      pluginName,
      conclusion: 'success',
      violations: [],
    })),
  );
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
