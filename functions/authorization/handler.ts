import { setTimeout } from 'node:timers/promises';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { clientSettings } from '../client-settings.ts';
import { createHandler } from './create-handler.ts';

const secretsManager = new SecretsManagerClient(clientSettings);

/** IAM is eventually consistent: a permission of the same deployment may not hold for some seconds. */
const PERMISSION_RETRY_MS = 3_000;
const PERMISSION_ATTEMPTS = 20;

export const handler = createHandler(async (secretArn) => {
  for (let attempt = 1; ; attempt++) {
    try {
      const { SecretString } = await secretsManager.send(new GetSecretValueCommand({ SecretId: secretArn }));
      if (SecretString) return SecretString;
      throw new Error(`The secret ${secretArn} has no text. Raise authorizationVersion to make a new one.`);
    } catch (error) {
      const isDenied = error instanceof Error && error.name === 'AccessDeniedException';
      if (!isDenied || attempt === PERMISSION_ATTEMPTS) throw error;
      await setTimeout(PERMISSION_RETRY_MS);
    }
  }
});
