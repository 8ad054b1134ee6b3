import { createInterface } from 'node:readline/promises';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { loadSharedConfigFiles } from '@smithy/core/config';
import { proxyAgents } from './proxy.ts';

export type AwsSettings = Awaited<ReturnType<typeof awsSettings>>;

/**
 * Settings for AWS clients on a developer's machine. Region and credentials are the ones that the CDK CLI uses, and
 * requests go through the proxy that the environment variables name.
 *
 * @see https://github.com/aws/aws-cdk-cli/blob/main/packages/%40aws-cdk/toolkit-lib/lib/api/aws-auth/awscli-compatible.ts
 */
export async function awsSettings(env: NodeJS.ProcessEnv = process.env) {
  const profile = env['AWS_PROFILE'] || env['AWS_DEFAULT_PROFILE'];
  const region = await regionOf(profile, env);
  const requestHandler = { ...proxyAgents(env), connectionTimeout: 10_000 };
  const credentials =
    keysOf(env) ??
    defaultProvider({
      ...(profile && { profile }),
      mfaCodeProvider: askForCode,
      parentClientConfig: { region, requestHandler },
    });
  return { region, credentials, requestHandler };
}

/** Looks for the region in the same order as the CDK CLI, except that it does not query EC2 instance metadata. */
async function regionOf(profile = 'default', env: NodeJS.ProcessEnv): Promise<string> {
  const named =
    env['AWS_REGION'] || env['AMAZON_REGION'] || env['AWS_DEFAULT_REGION'] || env['AMAZON_DEFAULT_REGION'];
  if (named) return named;
  const { credentialsFile, configFile } = await loadSharedConfigFiles();
  const sections = [
    credentialsFile[profile],
    configFile[profile],
    credentialsFile['default'],
    configFile['default'],
  ];
  return sections.find((section) => section?.['region'])?.['region'] ?? 'us-east-1';
}

/** Reads an access key from the environment. The CDK CLI prefers it to a profile; the SDK prefers the profile. */
export function keysOf(env: NodeJS.ProcessEnv) {
  const accessKeyId = env['AWS_ACCESS_KEY_ID'] || env['AMAZON_ACCESS_KEY_ID'];
  const secretAccessKey = env['AWS_SECRET_ACCESS_KEY'] || env['AMAZON_SECRET_ACCESS_KEY'];
  const sessionToken = env['AWS_SESSION_TOKEN'] ?? env['AMAZON_SESSION_TOKEN'];
  if (!accessKeyId || !secretAccessKey) return undefined;
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
}

/** Asks for a code from the MFA device that a profile names in `mfa_serial`. */
async function askForCode(device: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(`MFA code of ${device}: `);
  } finally {
    terminal.close();
  }
}
