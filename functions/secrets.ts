import { setTimeout } from 'node:timers/promises';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { clientSettings, deadline } from './client-settings.ts';

const secretsManager = new SecretsManagerClient(clientSettings);

/** IAM is eventually consistent: a permission of the same deployment may not hold for some seconds. */
const PERMISSION_RETRY_MS = 3_000;
const PERMISSION_ATTEMPTS = 20;

/**
 * The text of a secret, by ARN or name. Waits up to a minute for the permission to read it.
 *
 * @throws Error that names the secret, when it cannot be read or has no text.
 */
export async function readSecret(secretId: string): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    try {
      const command = new GetSecretValueCommand({ SecretId: secretId });
      const { SecretString } = await secretsManager.send(command, deadline());
      if (SecretString) return SecretString;
      throw new Error('it has no text');
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (error.name !== 'AccessDeniedException' || attempt === PERMISSION_ATTEMPTS) {
        throw new Error(`The secret ${secretId} cannot be read: ${error.message}`, { cause: error });
      }
      await setTimeout(PERMISSION_RETRY_MS);
    }
  }
}
