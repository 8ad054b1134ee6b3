import { describe, expect, it } from 'vitest';
import cdkJson from '../../cdk.json' with { type: 'json' };
import { ConfigurationError } from '../../infra/configuration-error.ts';
import { readStage } from '../../infra/stages.ts';

const dev = { subAccountIds: ['8x8_test'], apiKeySecretName: 'some/key' };
const prod = { ...dev, subAccountIds: ['8x8_prod'] };

/** The error message about a stage `dev` with these settings. */
function messageFor(settings: unknown, chosen: unknown = 'dev'): string {
  try {
    readStage({ dev: settings, prod }, chosen);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
  }
  return 'no error';
}

describe('the settings of a stage', () => {
  it.each(Object.keys(cdkJson.context.stages))('are valid in cdk.json for %s', (name) => {
    expect(readStage(cdkJson.context.stages, name).name).toBe(name);
  });

  it('are those of the chosen stage', () => {
    const stages = { dev, prod: { ...prod, authorizationVersion: 3 } };

    expect(readStage(stages, 'dev')).toMatchObject({
      name: 'dev',
      settings: { ...dev, authorizationVersion: 1 },
    });
    expect(readStage(stages, 'prod').settings.authorizationVersion).toBe(3);
  });

  it.each([
    ['an unknown stage', messageFor(dev, 'staging'), 'There is no stage "staging".'],
    [
      'a missing setting',
      messageFor({ subAccountIds: ['8x8_test'] }),
      'context.stages.dev.apiKeySecretName: missing.',
    ],
    [
      'a misspelt setting',
      messageFor({ ...dev, subaccountIds: [] }),
      'context.stages.dev.subaccountIds: unknown setting. Settings: subAccountIds, apiKeySecretName, authorizationVersion,',
    ],
    [
      'an invalid value',
      messageFor({ ...dev, subAccountIds: ['8x8_test', 'no spaces'] }),
      'context.stages.dev.subAccountIds.1: expected 3 to 50 of the characters A-Z a-z 0-9 - . _ &.',
    ],
    [
      'no sub-account',
      messageFor({ ...dev, subAccountIds: [] }),
      'subAccountIds: expected at least one sub-account id.',
    ],
    [
      'a duplicate sub-account',
      messageFor({ ...dev, subAccountIds: ['8x8_test', '8x8_test'] }),
      'subAccountIds: expected no duplicate sub-account ids.',
    ],
    [
      'a version that is not a whole number',
      messageFor({ ...dev, authorizationVersion: 1.5 }),
      'authorizationVersion: expected a whole number of at least 1.',
    ],
    ...[
      'http://voice.8x8.com',
      'ftp://127.0.0.1',
      'https://user:password@voice.8x8.com',
      'https://voice.8x8.com/?a=b',
      'voice.8x8.com',
      'https://voice.8x8.com/api/v1',
    ].flatMap((url) =>
      ['webhooksApiUrl', 'logExportUrl'].map((setting) => [
        `the ${setting} ${url}`,
        messageFor({ ...dev, [setting]: url }),
        `${setting}: expected an https URL, or an http URL on localhost, without a path or query.`,
      ]),
    ),
    ...[
      [],
      ['18.140.80.256'],
      ['18.140.80.2/33'],
      ['0.0.0.0/0'],
      ['2001:db8::/32'],
      ['18.140.80.2/8/8'],
      ['example.com'],
      'all',
      Array.from({ length: 101 }, (_, i) => `10.0.0.${i}`),
    ].map((allowedSourceIps) => [
      `the allowed addresses ${JSON.stringify(allowedSourceIps).slice(0, 40)}`,
      messageFor({ ...dev, allowedSourceIps }),
      /allowedSourceIps(\.0: (expected an IPv4 address or CIDR range|to allow every address, use "any" instead of the list)|: expected "any", or a list of 1 to 100 IPv4 addresses or CIDR ranges)\./,
    ]),
    [
      'an invalid domain name',
      messageFor({ ...dev, customDomain: { name: 'https://a.example', certificateArn: 'arn:aws:acm:x' } }),
      'customDomain.name: expected a lower-case domain name.',
    ],
    [
      'a domain without a certificate',
      messageFor({ ...dev, customDomain: { name: 'a.example' } }),
      'customDomain.certificateArn: missing.',
    ],
    [
      'an unknown key of a setting',
      messageFor({
        ...dev,
        customDomain: { name: 'a.example', certificateArn: 'arn:aws:acm:x', zone: 'Z1' },
      }),
      'customDomain.zone: unknown setting.\nStages',
    ],
    [
      'a web ACL of CloudFront',
      messageFor({ ...dev, webAclArn: 'arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/b' }),
      'webAclArn: expected the ARN of a regional web ACL (wafv2).',
    ],
    [
      'a tag with the prefix aws:',
      messageFor({ ...dev, tags: { 'aws:x': 'y' } }),
      'expected a tag name of 1 to 128 characters that does not start with aws:.',
    ],
    [
      'a list of tags',
      messageFor({ ...dev, tags: ['a'] }),
      'tags: expected an object whose values are strings.',
    ],
    [
      'a text instead of a boolean',
      messageFor({ ...dev, takeOver: 'yes' }),
      'takeOver: expected true or false.',
    ],
    [
      'an unknown choice',
      messageFor({ ...dev, onDelete: 'retain' }),
      'onDelete: expected "remove" or "keep".',
    ],
    ...['on', true, 'Record'].map((reconciliation) => [
      `the reconciliation ${JSON.stringify(reconciliation)}`,
      messageFor({ ...dev, reconciliation }),
      'reconciliation: expected "record", "report" or "off".',
    ]),
    [
      'checks that are too frequent',
      messageFor({ ...dev, registrationCheckMinutes: 1 }),
      'registrationCheckMinutes: expected a whole number of minutes from 5 to 1440.',
    ],
    [
      'more sub-accounts than fit a function’s environment',
      messageFor({ ...dev, subAccountIds: Array.from({ length: 100 }, (_, i) => `${'s'.repeat(40)}${i}`) }),
      'subAccountIds: expected at most 3000 characters in total; move some sub-accounts to another stage.',
    ],
    [
      'more sub-accounts than fit a stack',
      messageFor({ ...dev, subAccountIds: Array.from({ length: 101 }, (_, i) => `some${i}`) }),
      'subAccountIds: expected at most 100 sub-account ids; move some to another stage.',
    ],
    [
      'a text instead of a list',
      messageFor({ ...dev, subAccountIds: '8x8_test' }),
      'expected a list of sub-account ids.',
    ],
    ['a stage that is not an object', messageFor('dev'), 'context.stages.dev: expected an object.'],
  ])('are rejected because of %s, with the expectation and the list of stages', (_, message, expected) => {
    expect(message).toMatch(expected);
    expect(message).toContain('Stages in cdk.json: dev, prod.');
  });

  it.each([
    'http://localhost:3001',
    'http://127.0.0.1:3001/',
    'http://[::1]:3001',
    'https://voice.example//',
  ])('may have the API address %s, whose trailing slashes are removed', (url) => {
    const { settings } = readStage({ dev: { ...dev, webhooksApiUrl: url, logExportUrl: url } }, 'dev');

    expect(settings.webhooksApiUrl).toBe(url.replace(/\/*$/, ''));
    expect(settings.logExportUrl).toBe(url.replace(/\/*$/, ''));
  });

  it.each(['record', 'report', 'off'])('may have the reconciliation "%s"', (reconciliation) => {
    expect(readStage({ dev: { ...dev, reconciliation } }, 'dev').settings.reconciliation).toBe(
      reconciliation,
    );
  });

  it('record missing sessions from the log export of 8x8 by default', () => {
    expect(readStage({ dev }, 'dev').settings).toMatchObject({
      reconciliation: 'record',
      logExportUrl: 'https://voice.wavecell.com',
    });
  });

  it.each([['any'], [['10.0.0.0/8', '192.0.2.1']]])('may allow the addresses %j', (allowedSourceIps) => {
    expect(readStage({ dev: { ...dev, allowedSourceIps } }, 'dev').settings.allowedSourceIps).toEqual(
      allowedSourceIps,
    );
  });

  it('are rejected because of a sub-account that another stage has too, except the stage local', () => {
    const shared = { ...dev, subAccountIds: ['8x8_test', '8x8_prod'] };

    expect(() => readStage({ dev: shared, prod }, 'prod')).toThrow(
      'The stages prod and dev in cdk.json have the same sub-account, 8x8_prod. 8x8 delivers the summaries of a sub-account to one webhook: remove it from one of the stages.',
    );
    expect(readStage({ local: shared, prod }, 'prod').name).toBe('prod');
    expect(readStage({ local: shared, prod }, 'local').name).toBe('local');
    // An invalid stage does not prevent the deployment of another one.
    expect(readStage({ broken: 'x', half: {}, text: { subAccountIds: '8x8_prod' }, prod }, 'prod').name).toBe(
      'prod',
    );
  });

  it('are never those of a default stage, because it could be deployed or destroyed by mistake', () => {
    expect(() => readStage({ dev, prod }, undefined)).toThrow(
      'No stage is chosen: use -c stage=NAME. Stages in cdk.json: dev, prod.',
    );
    expect(() => readStage('prod', undefined)).toThrow(
      '"prod" replaces all stages. Did you mean -c stage=prod?',
    );
  });

  it('are rejected when cdk.json has no stages', () => {
    expect(() => readStage(undefined, 'dev')).toThrow('cdk.json has no stages');
    expect(() => readStage({}, 'dev')).toThrow('There is no stage "dev". Stages in cdk.json: none.');
  });

  it('need a stage name that is valid in a URL and in a stack name', () => {
    expect(() => readStage({ 'a b': dev }, 'a b')).toThrow('"a b" is not a valid stage name');
  });
});
