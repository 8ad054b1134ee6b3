import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { Endpoints } from '../../../infra/local/running.ts';
import type { StackOutputs } from '../../../infra/stack-outputs.ts';

/** A deployed stage `prod`: a CloudFormation stub returns its outputs, and the services of a local stack are behind them. */
export function deployedStage(
  { outputs, endpoints = {} }: { outputs: StackOutputs; endpoints?: Partial<Endpoints> },
  others: NodeJS.ProcessEnv = {},
) {
  const members = Object.entries(outputs)
    .filter(([, value]) => value !== undefined)
    .map(
      ([key, value]) => `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`,
    )
    .join('');
  return cloudFormation(
    200,
    `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks><member><StackName>vss-webhook-prod</StackName><StackId>arn:aws:cloudformation:eu-west-1:123456789012:stack/vss-webhook-prod/1</StackId><Outputs>${members}</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`,
    {
      AWS_ENDPOINT_URL_SQS: endpoints.sqs,
      AWS_ENDPOINT_URL_LAMBDA: endpoints.lambda,
      AWS_ENDPOINT_URL_CLOUDWATCH: endpoints.cloudwatch,
      AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoints.secretsManager,
      AWS_ENDPOINT_URL_SNS: endpoints.sns,
      AWS_ENDPOINT_URL_EVENTBRIDGE: endpoints.events,
      AWS_ENDPOINT_URL_PIPES: endpoints.pipes,
      AWS_ENDPOINT_URL_DYNAMODB_STREAMS: endpoints.dynamodb,
      ...others,
    },
  );
}

/** A CloudFormation stub that has no stage `prod`. */
export function missingStage() {
  return cloudFormation(
    400,
    '<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id vss-webhook-prod does not exist</Message></Error></ErrorResponse>',
    {},
  );
}

/** Starts a CloudFormation stub that always gives this answer. Returns the environment of a shell that uses it. */
async function cloudFormation(status: number, body: string, others: NodeJS.ProcessEnv) {
  const server = createServer((_, response) => response.writeHead(status).end(body)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    environment: {
      ...process.env,
      AWS_ENDPOINT_URL_CLOUDFORMATION: urlOf(server),
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      ...others,
    },
    async [Symbol.asyncDispose]() {
      server.close();
    },
  };
}

export function urlOf(server: Server): string {
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('The server is not listening');
  return `http://127.0.0.1:${address.port}`;
}
