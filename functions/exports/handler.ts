import { Metrics } from '@aws-lambda-powertools/metrics';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as v from 'valibot';
import { clientSettings } from '../client-settings.ts';
import { readEnvironment } from '../environment.ts';
import { lazyLogger } from '../telemetry.ts';
import { createHandler } from './create-handler.ts';
import { tableExports } from './table-exports.ts';

const { TABLE_ARN, BUCKET_NAME, EXPORTS_PREFIX } = readEnvironment({
  TABLE_ARN: v.string(),
  BUCKET_NAME: v.string(),
  EXPORTS_PREFIX: v.string(),
});

export const handler = createHandler({
  exports: tableExports(new DynamoDBClient(clientSettings), TABLE_ARN),
  destination: { bucket: BUCKET_NAME, prefix: EXPORTS_PREFIX },
  now: Date.now,
  logger: lazyLogger(),
  metrics: new Metrics({ namespace: 'VssWebhook' }),
});
