import { setTimeout } from 'node:timers/promises';
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { withDeadline } from './client-settings.ts';

/** IAM is eventually consistent: a permission granted by the same deployment may take some seconds to apply. */
const PERMISSION_RETRY_MS = 3_000;
const PERMISSION_ATTEMPTS = 20;

/**
 * Returns a function that reads the text of a secret, by ARN or name. Retries for up to a minute if access is denied.
 *
 * @throws Error that names the secret if it cannot be read or has no text.
 */
export function secretReader(
  client: SecretsManagerClient,
  pause: (milliseconds: number) => Promise<unknown> = setTimeout,
) {
  return async (secretId: string): Promise<string> => {
    for (let attempt = 1; ; attempt++) {
      try {
        const command = new GetSecretValueCommand({ SecretId: secretId });
        const { SecretString } = await withDeadline(client.send(command));
        if (SecretString) return SecretString;
        throw new Error('it has no text');
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        const isDenied = error.name === 'AccessDeniedException';
        if (!isDenied || attempt === PERMISSION_ATTEMPTS) {
          // A permission granted by name does not match a secret that does not exist.
          const advice = isDenied ? ' Check that it exists under this name, in this account and region.' : '';
          throw new Error(`Cannot read the secret ${secretId}: ${error.message}${advice}`, {
            cause: error,
          });
        }
        await pause(PERMISSION_RETRY_MS);
      }
    }
  };
}
