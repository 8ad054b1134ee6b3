import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Duration, RemovalPolicy, type Size, Stack, Validations } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { type BuildOptions, buildSync } from 'esbuild';

export interface NodeFunctionProps {
  /** The folder under functions/ that contains the handler.ts. */
  folder: string;
  description: string;
  timeout: Duration;
  environment?: Record<string, string>;
  /** Memory in MB. Default: 512. */
  memorySize?: number;
  /** Size of the folder /tmp. Default: that of Lambda, 512 MB. */
  ephemeralStorageSize?: Size;
  /** Default: `ACTIVE`. The function then decides whether to trace an invocation, unless its caller has decided. */
  tracing?: Tracing;
  /** Reserved concurrency. Default: none. */
  reservedConcurrentExecutions?: number;
}

/** Bundles one of the functions in functions/, and deploys it with a dedicated role and log group. */
export class NodeFunction extends LambdaFunction {
  constructor(scope: Construct, id: string, { folder, ...props }: NodeFunctionProps) {
    const { role, logGroup } = roleWithLogs(scope, id);
    super(scope, id, {
      tracing: Tracing.ACTIVE,
      memorySize: 512,
      ...props,
      // Powertools adds it to logs and metrics, which separates the stages of one account.
      environment: { ...props.environment, POWERTOOLS_SERVICE_NAME: Stack.of(scope).stackName },
      code: Code.fromAsset(bundleOf(folder)),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      role,
      logGroup,
    });
    Validations.of(role).acknowledge({
      id: 'AwsSolutions::AwsSolutions-IAM5[Resource::*]',
      reason: 'The two actions that send traces to X-Ray do not support resource-level permissions.',
    });
    Validations.of(this).acknowledge({
      id: 'Serverless::Serverless-LambdaDLQ',
      reason:
        'A failed invocation loses nothing: API Gateway and CloudFormation wait for the response, the queue redelivers the message, and the schedule invokes the function again.',
    });
  }
}

const bundles = new Map<string, string>();

/** Bundles a function once and returns the folder with the bundle, which is removed when the process exits. */
function bundleOf(folder: string): string {
  const existing = bundles.get(folder);
  if (existing !== undefined) return existing;
  const directory = mkdtempSync(join(tmpdir(), 'vss-webhook-bundle-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  buildSync({ ...bundleOptions(`${folder}/handler.ts`), outfile: join(directory, 'index.js') });
  bundles.set(folder, directory);
  return directory;
}

/**
 * The options with which esbuild bundles a function. `mainFields` reduces the size by a third, and so does `external`.
 * `npm run bench` measures how fast the bundles load.
 */
export function bundleOptions(entry: string) {
  return {
    entryPoints: [fileURLToPath(new URL(`../../functions/${entry}`, import.meta.url))],
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    mainFields: ['module', 'main'],
    minify: true,
    external: NEVER_LOADED.filter((module) => !LOADED[entry]?.includes(module)),
    logLevel: 'warning',
  } satisfies BuildOptions;
}

/**
 * Modules that the SDK imports on demand, but never in Lambda: credentials are in the environment, and we call no API
 * with event streams.
 */
const NEVER_LOADED = [
  '@aws-sdk/credential-provider-http',
  '@aws-sdk/credential-provider-ini',
  '@aws-sdk/credential-provider-process',
  '@aws-sdk/credential-provider-sso',
  '@aws-sdk/credential-provider-web-identity',
  '@smithy/core/event-streams',
  '@smithy/credential-provider-imds',
];

/** Exceptions, by entry: the S3 client imports this module when it loads. */
const LOADED: Readonly<Record<string, readonly string[]>> = {
  'reconciliation/handler.ts': ['@smithy/core/event-streams'],
};

/** Creates a log group, and a role that may write only to it. CDK's default role may write to every log group. */
export function roleWithLogs(scope: Construct, id: string): { role: Role; logGroup: LogGroup } {
  const logs = logGroup(scope, `${id}Logs`);
  const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
  logs.grantWrite(role);
  return { role, logGroup: logs };
}

/** Creates a log group that is deleted with the stack. The stack sets its retention (`logRetentionDays`). */
export function logGroup(scope: Construct, id: string): LogGroup {
  return new LogGroup(scope, id, {
    retention: RetentionDays.ONE_MONTH,
    removalPolicy: RemovalPolicy.DESTROY,
  });
}
