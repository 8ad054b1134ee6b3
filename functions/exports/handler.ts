import { Metrics } from '@aws-lambda-powertools/metrics';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as v from 'valibot';
import { clientSettings } from '../client-settings.ts';
import { readEnvironment } from '../environment.ts';
import { lazyLogger } from '../telemetry.ts';
import { createHandler } from './create-handler.ts';
import { tableExports } from './table-exports.ts';

const WholeNumber = v.pipe(v.string(), v.transform(Number), v.integer());

const environment = readEnvironment({
  TABLE_ARN: v.string(),
  BUCKET_NAME: v.string(),
  EXPORTS_PREFIX: v.string(),
  KEY_ARN: v.optional(v.string()),
  EXPORT_HOUR: WholeNumber,
  FULL_EXPORT_DAYS: WholeNumber,
});

export const handler = createHandler({
  exports: tableExports(new DynamoDBClient(clientSettings), {
    tableArn: environment.TABLE_ARN,
    bucket: environment.BUCKET_NAME,
    prefix: environment.EXPORTS_PREFIX,
    keyArn: environment.KEY_ARN,
  }),
  schedule: { hour: environment.EXPORT_HOUR, fullExportDays: environment.FULL_EXPORT_DAYS },
  now: Date.now,
  logger: lazyLogger(),
  metrics: new Metrics({ namespace: 'VssWebhook' }),
});
