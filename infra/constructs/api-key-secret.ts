import { ArnFormat, type Stack } from 'aws-cdk-lib';
import type { Settings } from '../settings.ts';

/** The ARN pattern of the secret with the API key for 8x8, which is not part of the stack. */
export function apiKeySecretArn(stack: Stack, { apiKeySecretName }: Settings): string {
  return stack.formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    // Secrets Manager appends a hyphen and six random characters to the name.
    resourceName: `${apiKeySecretName}-??????`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}
