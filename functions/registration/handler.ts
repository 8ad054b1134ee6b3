import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as v from 'valibot';
import { clientSettings, withDeadline } from '../client-settings.ts';
import { List, readEnvironment } from '../environment.ts';
import { secretReader } from '../secrets.ts';
import { readApiKey } from '../voice-api/api-key.ts';
import { createHandler } from './create-handler.ts';
import { webhooksApi } from './webhooks-api.ts';

const environment = readEnvironment({
  WEBHOOKS_API_URL: v.string(),
  API_KEY_SECRET_NAME: v.string(),
  SUB_ACCOUNT_IDS: List,
});
const readSecret = secretReader(new SecretsManagerClient(clientSettings));
const cloudFormation = new CloudFormationClient(clientSettings);

export const handler = createHandler({
  // Reads the key each time, so that a new key takes effect immediately.
  async connect(retryMs, baseUrl = environment.WEBHOOKS_API_URL) {
    const secretName = environment.API_KEY_SECRET_NAME;
    return webhooksApi({ baseUrl, retryMs, apiKey: readApiKey(secretName, await readSecret(secretName)) });
  },
  readSecret,
  async stackStatus(stackId) {
    const command = new DescribeStacksCommand({ StackName: stackId });
    const { Stacks } = await withDeadline(cloudFormation.send(command));
    return Stacks?.[0]?.StackStatus ?? '';
  },
  subAccountIds: environment.SUB_ACCOUNT_IDS,
  logger: new Logger(),
  metrics: new Metrics({ namespace: 'VssWebhook' }),
});
