import { createInterface } from 'node:readline/promises';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { loadSharedConfigFiles, type SharedConfigInit } from '@smithy/core/config';
import type { Context } from '../commands/command-line/command.ts';
import { proxyAgents } from './proxy.ts';

/** The services that commands call, with the names of their endpoints in environment variables. */
const ENDPOINT_NAMES = {
  athena: 'ATHENA',
  cloudFormation: 'CLOUDFORMATION',
  cloudwatch: 'CLOUDWATCH',
  dynamodb: 'DYNAMODB',
  dynamodbStreams: 'DYNAMODB_STREAMS',
  events: 'EVENTBRIDGE',
  lambda: 'LAMBDA',
  pipes: 'PIPES',
  s3: 'S3',
  secretsManager: 'SECRETS_MANAGER',
  sns: 'SNS',
  sqs: 'SQS',
} as const;
export type AwsService = keyof typeof ENDPOINT_NAMES;

/** Settings for the client of a service. */
export type SettingsOf = Awaited<ReturnType<typeof awsSettings>>;

/**
 * Settings for AWS clients on a developer's machine. Region and credentials are the ones that the CDK CLI uses, and
 * requests go through the proxy that the environment variables name. Endpoints are those of the SDK's own variables,
 * such as AWS_ENDPOINT_URL_SQS.
 *
 * @see https://github.com/aws/aws-cdk-cli/blob/main/packages/%40aws-cdk/toolkit-lib/lib/api/aws-auth/awscli-compatible.ts
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
 */
export async function awsSettings({ env, stdin, stderr }: Pick<Context, 'env' | 'stdin' | 'stderr'>) {
  const profile = env['AWS_PROFILE'] || env['AWS_DEFAULT_PROFILE'];
  const files = {
    ...(env['AWS_SHARED_CREDENTIALS_FILE'] && { filepath: env['AWS_SHARED_CREDENTIALS_FILE'] }),
    ...(env['AWS_CONFIG_FILE'] && { configFilepath: env['AWS_CONFIG_FILE'] }),
  };
  const region = regionIn(env) || (await regionOf(profile, files));
  const requestHandler = { ...proxyAgents(env), connectionTimeout: 10_000 };
  const credentials =
    keysOf(env) ??
    defaultProvider({
      ...files,
      ...(profile && { profile }),
      mfaCodeProvider: (device) => askForCode(device, stdin, stderr),
      parentClientConfig: { region, requestHandler },
    });
  return (service: AwsService) => {
    const endpoint = env[`AWS_ENDPOINT_URL_${ENDPOINT_NAMES[service]}`] || env['AWS_ENDPOINT_URL'];
    return { region, credentials, requestHandler, ...(endpoint && { endpoint }) };
  };
}

/** Like the CDK CLI, prefers a region in the environment to that of the profile. */
const regionIn = (env: NodeJS.ProcessEnv) =>
  env['AWS_REGION'] || env['AMAZON_REGION'] || env['AWS_DEFAULT_REGION'] || env['AMAZON_DEFAULT_REGION'];

/** Looks for the region in the same order as the CDK CLI, except that it does not query EC2 instance metadata. */
async function regionOf(profile = 'default', files: SharedConfigInit): Promise<string> {
  const { credentialsFile, configFile } = await loadSharedConfigFiles(files);
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
async function askForCode(
  device: string,
  input: Context['stdin'],
  output: Context['stderr'],
): Promise<string> {
  const terminal = createInterface({ input, output });
  try {
    return await terminal.question(`MFA code of ${device}: `);
  } finally {
    terminal.close();
  }
}
