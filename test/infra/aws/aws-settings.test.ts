import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { beforeEach, describe, expect, it } from 'vitest';
import { awsSettings } from '../../../infra/aws/aws-settings.ts';

/** Commands use the same region and credentials as the CDK CLI. */

const KEYS = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' };

let files: NodeJS.ProcessEnv;
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'aws-'));
  files = {
    AWS_CONFIG_FILE: join(folder, 'config'),
    AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'),
  };
  writeFileSync(
    join(folder, 'config'),
    '[default]\nregion = eu-central-1\n[profile work]\nregion = ap-southeast-1\n[profile bare]\noutput = json\n',
  );
  writeFileSync(
    join(folder, 'credentials'),
    '[work]\naws_access_key_id = work-id\naws_secret_access_key = work-secret\n',
  );
});

/** The settings for SQS of a shell with these variables. */
async function settingsIn(env: NodeJS.ProcessEnv) {
  const settings = await awsSettings({
    env: { ...files, ...env },
    stdin: new PassThrough(),
    stderr: new PassThrough(),
  });
  return settings('sqs');
}

describe('the region', () => {
  it.each([
    ['AWS_REGION rather than AWS_DEFAULT_REGION', { AWS_REGION: 'r1', AWS_DEFAULT_REGION: 'r2' }, 'r1'],
    [
      'AWS_DEFAULT_REGION rather than the region of a profile',
      { AWS_DEFAULT_REGION: 'r2', AWS_PROFILE: 'work' },
      'r2',
    ],
    ['the region of AWS_PROFILE', { AWS_PROFILE: 'work' }, 'ap-southeast-1'],
    ['the region of AWS_DEFAULT_PROFILE', { AWS_DEFAULT_PROFILE: 'work' }, 'ap-southeast-1'],
    [
      'the region of the default profile if the named profile has none',
      { AWS_PROFILE: 'bare' },
      'eu-central-1',
    ],
    ['the region of the default profile if no profile is named', {}, 'eu-central-1'],
  ])('is %s', async (_, env, expected) => {
    expect((await settingsIn(env)).region).toBe(expected);
  });

  it('is us-east-1 if neither the environment nor a profile names one', async () => {
    const missing = {
      AWS_CONFIG_FILE: '/nowhere/config',
      AWS_SHARED_CREDENTIALS_FILE: '/nowhere/credentials',
    };

    expect((await settingsIn(missing)).region).toBe('us-east-1');
  });
});

describe('the credentials', () => {
  it('are the keys in the environment, even if a profile is named', async () => {
    const { credentials } = await settingsIn({ ...KEYS, AWS_SESSION_TOKEN: 'token', AWS_PROFILE: 'work' });

    expect(credentials).toEqual({ accessKeyId: 'id', secretAccessKey: 'secret', sessionToken: 'token' });
  });

  it.each(['AWS_PROFILE', 'AWS_DEFAULT_PROFILE'])('are the keys of the profile in %s', async (name) => {
    const { credentials } = await settingsIn({ [name]: 'work' });

    expect(typeof credentials === 'function' && (await credentials())).toMatchObject({
      accessKeyId: 'work-id',
    });
  });
});

it.each([
  ['of the service', { AWS_ENDPOINT_URL: 'http://all', AWS_ENDPOINT_URL_SQS: 'http://sqs' }, 'http://sqs'],
  ['of all services', { AWS_ENDPOINT_URL: 'http://all', AWS_ENDPOINT_URL_SNS: 'http://sns' }, 'http://all'],
  ['that the SDK chooses', {}, undefined],
])('the endpoint is the one %s', async (_, env, expected) => {
  expect((await settingsIn({ ...KEYS, ...env })).endpoint).toBe(expected);
});
