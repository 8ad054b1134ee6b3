import { describe, expect, it } from 'vitest';
import cdkJson from '../../cdk.json' with { type: 'json' };
import { ConfigurationError, readStage } from '../../infra/stages.ts';

const dev = { subAccountIds: ['8x8_test'], apiKeySecretName: 'some/key' };

/** The message about a stage `dev` with these settings. */
function complaint(settings: unknown, chosen?: unknown): string {
  try {
    readStage({ dev: settings, prod: dev }, chosen);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
  }
  return 'no complaint';
}

describe('the settings of a stage', () => {
  it.each(Object.keys(cdkJson.context.stages))('are valid in cdk.json for %s', (name) => {
    expect(readStage(cdkJson.context.stages, name).name).toBe(name);
  });

  it('are those of dev unless another stage is chosen', () => {
    expect(readStage({ dev, prod: { ...dev, authorizationVersion: 3 } })).toMatchObject({
      name: 'dev',
      settings: { ...dev, authorizationVersion: 1 },
    });
    expect(
      readStage({ dev, prod: { ...dev, authorizationVersion: 3 } }, 'prod').settings.authorizationVersion,
    ).toBe(3);
  });

  it.each([
    ['an unknown stage', complaint(dev, 'staging'), 'There is no stage "staging".'],
    [
      'a missing key',
      complaint({ subAccountIds: ['8x8_test'] }),
      'context.stages.dev.apiKeySecretName: missing.',
    ],
    [
      'a misspelt key',
      complaint({ ...dev, subaccountIds: [] }),
      'context.stages.dev.subaccountIds: unknown setting. Settings: subAccountIds, apiKeySecretName, authorizationVersion,',
    ],
    [
      'a value that does not fit',
      complaint({ ...dev, subAccountIds: ['8x8_test', 'no spaces'] }),
      'context.stages.dev.subAccountIds.1: expected 3 to 50 of the characters A-Z a-z 0-9 - . _ &.',
    ],
    [
      'no sub-account',
      complaint({ ...dev, subAccountIds: [] }),
      'subAccountIds: expected at least one sub-account id.',
    ],
    [
      'a sub-account twice',
      complaint({ ...dev, subAccountIds: ['8x8_test', '8x8_test'] }),
      'subAccountIds: expected no duplicate sub-account ids.',
    ],
    [
      'a version that is no whole number',
      complaint({ ...dev, authorizationVersion: 1.5 }),
      'authorizationVersion: expected a whole number of at least 1.',
    ],
    ...[
      'http://voice.8x8.com',
      'ftp://127.0.0.1',
      'https://user:password@voice.8x8.com',
      'https://voice.8x8.com/?a=b',
      'voice.8x8.com',
      'https://voice.8x8.com/api/v1',
    ].map((webhooksApiUrl) => [
      `an API address ${webhooksApiUrl}`,
      complaint({ ...dev, webhooksApiUrl }),
      'webhooksApiUrl: expected an https URL, or an http URL on localhost, without a path or query.',
    ]),
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
      `addresses like ${JSON.stringify(allowedSourceIps).slice(0, 40)}`,
      complaint({ ...dev, allowedSourceIps }),
      /allowedSourceIps(\.0: (expected an IPv4 address or CIDR range|to allow every address, use "any" instead of the list)|: expected "any", or a list of 1 to 100 IPv4 addresses or CIDR ranges)\./,
    ]),
    [
      'a domain that is none',
      complaint({ ...dev, customDomain: { name: 'https://a.example', certificateArn: 'arn:aws:acm:x' } }),
      'customDomain.name: expected a lower-case domain name.',
    ],
    [
      'a domain without certificate',
      complaint({ ...dev, customDomain: { name: 'a.example' } }),
      'customDomain.certificateArn: missing.',
    ],
    [
      'an unknown key of a setting',
      complaint({ ...dev, customDomain: { name: 'a.example', certificateArn: 'arn:aws:acm:x', zone: 'Z1' } }),
      'customDomain.zone: unknown setting.\nStages',
    ],
    [
      'a web ACL of CloudFront',
      complaint({ ...dev, webAclArn: 'arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/b' }),
      'webAclArn: expected the ARN of a regional web ACL (wafv2).',
    ],
    [
      'a tag of AWS',
      complaint({ ...dev, tags: { 'aws:x': 'y' } }),
      'expected a tag name of 1 to 128 characters that does not start with aws:.',
    ],
    [
      'a list of tags',
      complaint({ ...dev, tags: ['a'] }),
      'tags: expected an object whose values are strings.',
    ],
    ['another answer', complaint({ ...dev, takeOver: 'yes' }), 'takeOver: expected true or false.'],
    ['another choice', complaint({ ...dev, onDelete: 'retain' }), 'onDelete: expected "remove" or "keep".'],
    [
      'checks too often',
      complaint({ ...dev, registrationCheckMinutes: 1 }),
      'registrationCheckMinutes: expected a whole number of minutes from 5 to 1440.',
    ],
    [
      'more sub-accounts than fit a function’s environment',
      complaint({ ...dev, subAccountIds: Array.from({ length: 100 }, (_, i) => `${'s'.repeat(40)}${i}`) }),
      'subAccountIds: expected at most 3000 characters in total; move some sub-accounts to another stage.',
    ],
    [
      'more sub-accounts than fit a stack',
      complaint({ ...dev, subAccountIds: Array.from({ length: 101 }, (_, i) => `some${i}`) }),
      'subAccountIds: expected at most 100 sub-account ids; move some to another stage.',
    ],
    [
      'a text for a list',
      complaint({ ...dev, subAccountIds: '8x8_test' }),
      'expected a list of sub-account ids.',
    ],
    ['a stage that is no object', complaint('dev'), 'context.stages.dev: expected an object.'],
  ])('are refused for %s, with what was expected and the stages that exist', (_, message, expected) => {
    expect(message).toMatch(expected);
    expect(message).toContain('Stages in cdk.json: dev, prod.');
  });

  it.each([
    'http://localhost:3001',
    'http://127.0.0.1:3001/',
    'http://[::1]:3001',
    'https://voice.example//',
  ])('may have the address of the API at %s, without the slashes at its end', (webhooksApiUrl) => {
    const { settings } = readStage({ dev: { ...dev, webhooksApiUrl } });

    expect(settings.webhooksApiUrl).toBe(webhooksApiUrl.replace(/\/*$/, ''));
  });

  it.each([['any'], [['10.0.0.0/8', '192.0.2.1']]])('may allow %j', (allowedSourceIps) => {
    expect(readStage({ dev: { ...dev, allowedSourceIps } }).settings.allowedSourceIps).toEqual(
      allowedSourceIps,
    );
  });

  it('are refused where there are none', () => {
    expect(() => readStage(undefined)).toThrow('cdk.json has no stages');
    expect(() => readStage({})).toThrow('There is no stage "dev". Stages in cdk.json: none.');
  });

  it('need a name that can be part of a URL and of a stack name', () => {
    expect(() => readStage({ 'a b': dev }, 'a b')).toThrow('"a b" is not a valid stage name');
  });
});
