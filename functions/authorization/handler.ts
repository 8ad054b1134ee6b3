import { setTimeout } from 'node:timers/promises';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { clientSettings } from '../client-settings.ts';
import { createHandler } from './create-handler.ts';

const secretsManager = new SecretsManagerClient(clientSettings);

/** IAM is eventually consistent: a permission of the same deployment may not hold yet. The function's timeout ends this. */
const PERMISSION_RETRY_MS = 3_000;

export const handler = createHandler(async function readSecret(secretArn): Promise<string> {
  try {
    const { SecretString } = await secretsManager.send(new GetSecretValueCommand({ SecretId: secretArn }));
    if (SecretString) return SecretString;
    throw new Error(`The secret ${secretArn} has no text. Raise authorizationVersion to make a new one.`);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'AccessDeniedException') throw error;
    await setTimeout(PERMISSION_RETRY_MS);
    return readSecret(secretArn);
  }
});
