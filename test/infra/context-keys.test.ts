import { expect, it } from 'vitest';
import cdkJson from '../../cdk.json' with { type: 'json' };
import { assertKnownKeys } from '../../infra/context-keys.ts';

it.each(['Stage', 'STAGE', 'Stages', 'stage-', 'stge', 'satge'])(
  'the context key %s without a stage is rejected as a misspelt stage',
  (key) => {
    expect(() => assertKnownKeys({ stages: {}, [key]: 'prod' })).toThrow(
      `Unknown context key "${key}". Did you mean -c stage=…?`,
    );
  },
);

it('the context key Stage is rejected beside the key stage', () => {
  expect(() => assertKnownKeys({ stage: 'dev', Stage: 'prod' })).toThrow('Unknown context key "Stage".');
});

it.each([
  ['retentionDays', 'retentionDays'],
  ['retention-days', 'retentionDays'],
  ['SUBACCOUNTIDS', 'subAccountIds'],
])('the context key %s is rejected as the setting %s of a stage', (key, setting) => {
  expect(() => assertKnownKeys({ stage: 'prod', [key]: '30' })).toThrow(
    `The context key "${key}" has no effect. Did you mean the setting ${setting} of a stage? Set it in cdk.json, as context.stages.NAME.${setting}.`,
  );
});

it('the feature flags of cdk.json, and context of the user’s own, are accepted', () => {
  const own = { storage: 'a', owner: 'b', 'availability-zones:account=1:region=x': [] };

  expect(() => assertKnownKeys({ ...cdkJson.context, ...own, stage: 'dev' })).not.toThrow();
});
