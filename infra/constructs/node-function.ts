import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Duration, RemovalPolicy, type Size, Stack, Validations } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { buildSync } from 'esbuild';
import { bundleOptions } from './bundle-options.ts';

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
