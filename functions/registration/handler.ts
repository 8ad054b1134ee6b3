import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import * as v from 'valibot';
import { clientSettings, deadline } from '../client-settings.ts';
import { readEnvironment } from '../environment.ts';
import { readSecret } from '../secrets.ts';
import { readApiKey } from './api-key.ts';
import { createHandler } from './create-handler.ts';
import { webhooksApi } from './webhooks-api.ts';

const environment = readEnvironment({ WEBHOOKS_API_URL: v.string(), API_KEY_SECRET_NAME: v.string() });
const cloudFormation = new CloudFormationClient(clientSettings);

export const handler = createHandler({
  // The key is read each time, so that a new one counts at once.
  connect: async () =>
    webhooksApi({
      baseUrl: environment.WEBHOOKS_API_URL,
      apiKey: readApiKey(environment.API_KEY_SECRET_NAME, await readSecret(environment.API_KEY_SECRET_NAME)),
    }),
  readSecret,
  async isRollingBack(stackId) {
    const command = new DescribeStacksCommand({ StackName: stackId });
    const { Stacks } = await cloudFormation.send(command, deadline());
    return Stacks?.[0]?.StackStatus === 'UPDATE_ROLLBACK_IN_PROGRESS';
  },
  logger: new Logger(),
  metrics: new Metrics({ namespace: 'VssWebhook' }),
});
