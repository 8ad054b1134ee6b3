import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { type BuildOptions, buildSync } from 'esbuild';

export interface NodeFunctionProps {
  /** The folder under functions/ whose handler.ts this is. */
  folder: string;
  description: string;
  timeout: Duration;
  environment?: Record<string, string>;
  /** Whether it decides what to trace, where nobody before it has. It does, unless told otherwise. */
  tracing?: Tracing;
  /** How many of it may run at a time, and are kept free for it. */
  reservedConcurrentExecutions?: number;
}

/** One of the functions in functions/, bundled, with a role and a log group of its own. */
export class NodeFunction extends LambdaFunction {
  constructor(scope: Construct, id: string, { folder, ...props }: NodeFunctionProps) {
    const { role, logGroup } = roleWithLogs(scope, id);
    super(scope, id, {
      tracing: Tracing.ACTIVE,
      ...props,
      // The service that Powertools logs and counts under: so that two stages of one account stay apart.
      environment: { ...props.environment, POWERTOOLS_SERVICE_NAME: Stack.of(scope).stackName },
      code: Code.fromAsset(bundleOf(folder)),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: 512,
      role,
      logGroup,
    });
    Validations.of(role).acknowledge({
      id: 'AwsSolutions::AwsSolutions-IAM5[Resource::*]',
      reason: 'X-Ray takes traces for no resource in particular: its two actions take no other resource.',
    });
    Validations.of(this).acknowledge({
      id: 'Serverless::Serverless-LambdaDLQ',
      reason:
        'Nothing is lost with an invocation: API Gateway and CloudFormation wait for the answer, the queue keeps the message, and a schedule comes again.',
    });
  }
}

const bundles = new Map<string, string>();

/** The folder with the bundle of a function, which is built once and removed when the process ends. */
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
 * How a function is bundled; `npm run bench` measures how fast that loads. `mainFields` makes it a third smaller, and
 * so does `external`.
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
    external: NEVER_LOADED,
    logLevel: 'warning',
  } satisfies BuildOptions;
}

/**
 * What the SDK imports on demand only, and never in Lambda: there, credentials are in the environment, and none of our
 * services streams events.
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

/** A role that may write its own logs and nothing else: CDK's own has a managed policy, which covers every log group. */
export function roleWithLogs(scope: Construct, id: string): { role: Role; logGroup: LogGroup } {
  const logs = logGroup(scope, `${id}Logs`);
  const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
  logs.grantWrite(role);
  return { role, logGroup: logs };
}

/** A log group that is deleted with the stack; the stack sets its retention (`logRetentionDays`). */
export function logGroup(scope: Construct, id: string): LogGroup {
  return new LogGroup(scope, id, {
    retention: RetentionDays.ONE_MONTH,
    removalPolicy: RemovalPolicy.DESTROY,
  });
}
