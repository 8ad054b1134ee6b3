import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import * as v from 'valibot';
import { DEFAULT_PORT, findRunning } from '../local/running.ts';
import { REGION } from '../local/template.ts';
import { StackOutputs, stackName } from '../stack-outputs.ts';

/** How to reach a stage. */
export interface Stage {
  /** The name of its stack. */
  stackName: string;
  outputs: StackOutputs;
  /** Where its webhook listens, as seen from this machine. */
  webhookUrl: string;
  /** Settings for the clients of AWS. Empty for a deployed stage: account and region are those of the shell. */
  sqs: ClientSettings;
  lambda: ClientSettings;
  cloudWatch: ClientSettings;
  dynamodb: ClientSettings;
  secretsManager: ClientSettings;
  sns: ClientSettings;
}

export interface ClientSettings {
  endpoint?: string;
  region?: string;
  credentials?: { accessKeyId: string; secretAccessKey: string };
}

/**
 * Finds a stage: for `local` the local stack while it runs (`local:4000` if it listens on that port), else the
 * stack that was deployed, with the shell's credentials and region.
 *
 * @throws Error that says what to do when there is none.
 */
export async function findStage(name: string): Promise<Stage> {
  const local = /^local(?::(\d+))?$/.exec(name);
  if (!local && !/^[A-Za-z][A-Za-z0-9-]{0,62}$/.test(name)) {
    throw new Error(`"${name}" is no stage: expected one of cdk.json, local, or local:PORT`);
  }
  return local ? findLocal(Number(local[1] ?? DEFAULT_PORT)) : findDeployed(name);
}

function findLocal(port: number): Stage {
  const running = findRunning(port);
  if (!running) {
    throw new Error(
      `No local stack runs on port ${port}. Start it with npm start, in another terminal; if it has another port: --stage local:PORT`,
    );
  }
  const { outputs, endpoints } = running;
  const common = { region: REGION, credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
  return {
    stackName: stackName('local'),
    outputs,
    webhookUrl: `http://127.0.0.1:${port}${new URL(outputs.WebhookUrl).pathname}`,
    sqs: { ...common, endpoint: endpoints.sqs },
    lambda: { ...common, endpoint: endpoints.lambda },
    cloudWatch: { ...common, endpoint: endpoints.cloudwatch },
    dynamodb: { ...common, endpoint: endpoints.dynamodb },
    secretsManager: { ...common, endpoint: endpoints.secretsManager },
    sns: { ...common, endpoint: endpoints.sns },
  };
}

async function findDeployed(name: string): Promise<Stage> {
  const StackName = stackName(name);
  const cloudFormation = new CloudFormationClient({});
  const { Stacks = [] } = await cloudFormation
    .send(new DescribeStacksCommand({ StackName }))
    .catch((error: Error) => {
      throw new Error(
        `The stack ${StackName} cannot be read (${error.message}). Is the stage deployed, and do AWS_PROFILE and AWS_REGION point at its account and region?`,
        { cause: error },
      );
    });
  const outputs = Object.fromEntries(
    (Stacks[0]?.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]),
  );
  const parsed = v.safeParse(StackOutputs, outputs);
  if (!parsed.success)
    throw new Error(`The stack ${StackName} lacks outputs; deploy this version of it first.`);
  return {
    stackName: StackName,
    outputs: parsed.output,
    webhookUrl: parsed.output.WebhookUrl,
    sqs: {},
    lambda: {},
    cloudWatch: {},
    dynamodb: {},
    secretsManager: {},
    sns: {},
  };
}
