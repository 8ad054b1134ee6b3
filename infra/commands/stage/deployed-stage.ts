import {
  CloudFormationClient,
  DescribeStacksCommand,
  paginateDescribeStacks,
  type Stack,
} from '@aws-sdk/client-cloudformation';
import * as v from 'valibot';
import { type AwsService, awsSettings, keysOf, type SettingsOf } from '../../aws/aws-settings.ts';
import { DEFAULT_PORT, findRunning, runningPorts } from '../../local/running.ts';
import { REGION } from '../../local/template.ts';
import { StackOutputs, stackName } from '../../stack-outputs.ts';
import { print } from '../../terminal/output.ts';
import { reasonOf } from '../../terminal/reason-of.ts';
import { type Context, UsageError } from '../command-line/command.ts';

/** Settings for an AWS client. */
export type ClientSettings = ReturnType<SettingsOf> | ReturnType<typeof localSettings>;

/** How to reach a stage. */
export interface DeployedStage {
  /** The name given on the command line. */
  name: string;
  stackName: string;
  /** Describes where it runs: account and region, or this machine. */
  place: string;
  outputs: StackOutputs;
  /** The URL of its webhook, as seen from this machine. */
  webhookUrl: string;
  /** Settings for the client of a service. The local stack has some of them only. */
  settings(service: AwsService): ClientSettings;
  isLocal: boolean;
}

/**
 * Finds a stage: for `local`, the running local stack (`local:4000` if it listens on port 4000); otherwise the deployed
 * stack, in the account and region that the CDK CLI would use.
 *
 * @throws UsageError if there is no such stage, with what to do.
 */
export async function findStage(name: string, context: Context): Promise<DeployedStage> {
  const local = /^local(?::(\d+))?$/.exec(name);
  if (!local && !/^[A-Za-z][A-Za-z0-9-]{0,62}$/.test(name)) {
    throw new UsageError(`"${name}" is not a stage name: expected a stage of cdk.json, local or local:PORT`);
  }
  return local ? findLocal(name, Number(local[1] ?? DEFAULT_PORT)) : findDeployed(name, context);
}

/** Prints which stage a command works on, before it does anything else. */
export function printPlace({ stackName: stack, place }: DeployedStage, { stdout }: Context): void {
  print(stdout, `${stack}, ${place}\n`);
}

function findLocal(name: string, port: number): DeployedStage {
  const running = findRunning(port);
  if (!running) {
    throw new UsageError(`No local stack is running on port ${port}. ${localStages()}`);
  }
  const { outputs, endpoints } = running;
  return {
    name,
    stackName: stackName('local'),
    place: `on this machine, port ${port}`,
    outputs,
    webhookUrl: `http://127.0.0.1:${port}${new URL(outputs.WebhookUrl).pathname}`,
    settings: (service) => localSettings(endpoints, service),
    isLocal: true,
  };
}

/** @throws Error if the local stack does not emulate the service. */
function localSettings(endpoints: Partial<Record<AwsService, string>>, service: AwsService) {
  const endpoint = endpoints[service];
  if (endpoint === undefined) throw new Error(`The local stack has no ${service}`);
  return { endpoint, region: REGION, credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
}

async function findDeployed(name: string, context: Context): Promise<DeployedStage> {
  const settings = await awsSettings(context);
  const clientSettings = settings('cloudFormation');
  const cloudFormation = new CloudFormationClient(clientSettings);
  const StackName = stackName(name);
  const stack = await readStack(cloudFormation, StackName).catch(async (error: Error) => {
    const where = `in ${clientSettings.region}, using ${credentialsSource(context.env)}`;
    const isMissing = error.message.includes('does not exist');
    if (isMissing) {
      throw new UsageError(
        `The stack ${StackName} does not exist ${where}. ${await deployedStages(cloudFormation)} ${CHOOSE} ${localStages()}`,
      );
    }
    throw new Error(
      `The stack ${StackName} cannot be read ${where}: ${reasonOf(error).replace(/\.$/, '')}. ${CHOOSE} ${localStages()}`,
    );
  });
  const outputs = Object.fromEntries(
    (stack?.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]),
  );
  const parsed = v.safeParse(StackOutputs, outputs);
  if (!parsed.success) {
    throw new UsageError(
      `The stack ${StackName} was deployed from a different version. Deploy this version: npx cdk deploy -c stage=${name}`,
    );
  }
  const [, , , region, account] = (stack?.StackId ?? '').split(':');
  return {
    name,
    stackName: StackName,
    place: `account ${account}, region ${region}`,
    outputs: parsed.output,
    webhookUrl: parsed.output.WebhookUrl,
    settings,
    isLocal: false,
  };
}

async function readStack(
  cloudFormation: CloudFormationClient,
  StackName: string,
): Promise<Stack | undefined> {
  const { Stacks = [] } = await cloudFormation.send(new DescribeStacksCommand({ StackName }));
  return Stacks[0];
}

const CHOOSE = 'Set AWS_PROFILE and AWS_REGION to choose account and region, as for cdk deploy.';

/** A sentence that lists the deployed stages, or an empty string if the credentials do not allow listing stacks. */
async function deployedStages(client: CloudFormationClient): Promise<string> {
  const prefix = stackName('');
  const names: string[] = [];
  try {
    for await (const { Stacks = [] } of paginateDescribeStacks({ client }, {})) {
      names.push(...Stacks.map(({ StackName = '' }) => StackName));
    }
  } catch {
    return '';
  }
  const stages = names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  return stages.length > 0 ? `Stages deployed there: ${stages.join(', ')}.` : 'No stage is deployed there.';
}

/** A sentence that lists the running local stacks, or says how to start one. */
function localStages(): string {
  const running = runningPorts().map((port) => (port === DEFAULT_PORT ? 'local' : `local:${port}`));
  return running.length > 0
    ? `Local stacks on this machine: --stage ${running.join(', --stage ')}.`
    : 'To start one on this machine, run npm start in another terminal, and use --stage local.';
}

function credentialsSource(env: NodeJS.ProcessEnv): string {
  if (keysOf(env)) return 'the access key in the environment';
  return `the profile ${env['AWS_PROFILE'] || env['AWS_DEFAULT_PROFILE'] || 'default'}`;
}
