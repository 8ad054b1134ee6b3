import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { type Failed, type Invocation, runtimeApi } from './runtime-api.ts';

export interface DeployedFunction {
  /** Path of the runtime interface client. */
  client: string;
  /** Absolute path of the bundle. */
  bundle: string;
  /** The variables that the template sets, and the endpoints of AWS. Undefined variables are left out. */
  environment: Readonly<Record<string, string | undefined>>;
  /** The destination of its logs. */
  logs: 'ignore' | 'inherit';
}

/** A process that runs a function as Lambda does. */
export interface ExecutionEnvironment {
  /** The outcome and the duration of the initialisation. */
  initialised: 'ready' | Failed;
  initMilliseconds: number;
  /** Kills the process at the timeout, as Lambda does. */
  invoke(invocation: Invocation): Promise<{ response: unknown } | Failed>;
  stop(): Promise<void>;
}

/** @see https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html */
const INIT_TIMEOUT_MS = 10_000;

/** Starts a bundle under AWS's runtime interface client, and waits until its initialisation succeeds or fails. */
export async function executionEnvironment(deployed: DeployedFunction): Promise<ExecutionEnvironment> {
  const { client, bundle, environment, logs } = deployed;
  const api = await runtimeApi();
  const began = performance.now();
  const child = spawn(process.execPath, [client], {
    cwd: dirname(bundle),
    env: { ...environment, ...lambdaEnvironment(dirname(bundle)), AWS_LAMBDA_RUNTIME_API: api.address },
    // The logs go to standard error, so that standard output contains only the table.
    stdio: ['ignore', logs === 'inherit' ? 2 : 'ignore', logs],
  });
  const exited = new Promise<Failed>((resolve) => {
    child.once('exit', (code, signal) =>
      resolve({
        error:
          signal === 'SIGKILL'
            ? { errorType: 'Sandbox.Timedout', errorMessage: 'The task timed out' }
            : { errorType: 'Runtime.ExitError', errorMessage: `The runtime exited with ${signal ?? code}` },
      }),
    );
  });

  async function within<T>(milliseconds: number, work: Promise<T>): Promise<T | Failed> {
    const timeout = setTimeout(() => child.kill('SIGKILL'), milliseconds);
    try {
      return await Promise.race([work, exited]);
    } finally {
      clearTimeout(timeout);
    }
  }

  return {
    initialised: await within(INIT_TIMEOUT_MS, api.initialised),
    initMilliseconds: performance.now() - began,
    invoke: (invocation) => within(invocation.timeoutMs, api.invoke(invocation)),
    async stop() {
      child.kill('SIGKILL');
      await exited;
      await api.close();
    },
  };
}

/** The variables that Lambda sets for every function. @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html */
function lambdaEnvironment(taskRoot: string) {
  return {
    _HANDLER: 'index.handler',
    LAMBDA_TASK_ROOT: taskRoot,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_REGION: 'us-east-1',
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_LAMBDA_FUNCTION_NAME: 'runtime',
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/runtime',
    AWS_LAMBDA_LOG_STREAM_NAME: 'runtime',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_SESSION_TOKEN: 'local',
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
  };
}
