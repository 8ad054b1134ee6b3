import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { clientSettings } from '../client-settings.ts';
import { secretReader } from '../secrets.ts';
import { createHandler } from './create-handler.ts';

export const handler = createHandler(secretReader(new SecretsManagerClient(clientSettings)));
