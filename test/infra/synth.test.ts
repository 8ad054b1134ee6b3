import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import * as v from 'valibot';
import { expect, it } from 'vitest';
import cdkJson from '../../cdk.json' with { type: 'json' };
import { addStages } from '../../infra/add-stages.ts';
import { synthesize } from '../../infra/local/synthesize.ts';
import { localAssembly } from '../local-assembly.ts';
import { root, run } from './run.ts';

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

it('cdk synth names the file, the line and the key if cdk.json sets a key twice', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'vss-webhook-cdk-json-'));
  const text = JSON.stringify(cdkJson, null, 2).replace('"retainData": false', '$&,\n"retainData": true');
  writeFileSync(join(cwd, 'cdk.json'), text);
  const env = { ...process.env, CDK_CONTEXT_JSON: JSON.stringify({ ...cdkJson.context, stage: 'dev' }) };

  const { stdout, stderr, code } = await run([join(root, 'infra/app.ts')], { cwd, env });

  expect(stderr).toMatch(
    /^cdk\.json, line \d+: context\.stages\.dev\.retainData is set twice, first in line \d+\. Remove one\.\n$/,
  );
  expect([stdout, code]).toEqual(['', 1]);
});

it('cdk synth fails if a key of the context was probably meant as the stage', () => {
  const app = new App({ postCliContext: { ...cdkJson.context, Stage: 'prod' } });

  expect(() => addStages(app)).toThrow('Unknown context key "Stage". Did you mean -c stage=…?');
});

it('cdk synth fails for an unknown stage, and lists the stages; npm start reports it in one line', async () => {
  await expect(synthesize('nowhere')).rejects.toThrow(
    /^The stack cannot be synthesized\. There is no stage "nowhere"\. Stages in cdk\.json: local, dev, prod\.$/,
  );
});
