import { setTimeout } from 'node:timers/promises';
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { withDeadline } from './client-settings.ts';

/** IAM is eventually consistent: a permission of the same deployment may not hold for some seconds. */
const PERMISSION_RETRY_MS = 3_000;
const PERMISSION_ATTEMPTS = 20;

/**
 * Reads the text of a secret, by ARN or name. Waits up to a minute for the permission.
 *
 * @throws Error that names the secret, when it cannot be read or has no text.
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
          // A permission for a name holds for no secret that does not exist.
          const advice = isDenied ? ' Does it exist, under this name, in this account and region?' : '';
          throw new Error(`The secret ${secretId} cannot be read: ${error.message}${advice}`, {
            cause: error,
          });
        }
        await pause(PERMISSION_RETRY_MS);
      }
    }
  };
}
