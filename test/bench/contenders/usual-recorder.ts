import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import { IdempotencyConfig, makeIdempotent } from '@aws-lambda-powertools/idempotency';
import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb';
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { Tracer } from '@aws-lambda-powertools/tracer';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { Context, SQSEvent, SQSRecord } from 'aws-lambda';
import { VoiceSessionSummary } from './usual-summary.ts';

/** A recorder as in the documentation of Powertools: batch processing, idempotency by body, a document client. */

const logger = new Logger();
const metrics = new Metrics({ namespace: 'Usual' });
const tracer = new Tracer();
const documents = DynamoDBDocumentClient.from(tracer.captureAWSv3Client(new DynamoDBClient()), {
  marshallOptions: { removeUndefinedValues: true },
});
const processor = new BatchProcessor(EventType.SQS);

const config = new IdempotencyConfig({});
const record = makeIdempotent(
  async (body: string) => {
    const { payload } = VoiceSessionSummary.parse(JSON.parse(body));
    await documents.send(new PutCommand({ TableName: process.env['TABLE_NAME'], Item: payload }));
    metrics.addMetric('Recorded', MetricUnit.Count, 1);
    logger.info('Recorded', { sessionId: payload.sessionId });
    return { sessionId: payload.sessionId };
  },
  {
    config,
    persistenceStore: new DynamoDBPersistenceLayer({
      tableName: process.env['IDEMPOTENCY_TABLE_NAME'] ?? '',
    }),
  },
);

export async function handler(event: SQSEvent, context: Context) {
  config.registerLambdaContext(context);
  const response = await processPartialResponse(event, ({ body }: SQSRecord) => record(body), processor, {
    context,
  });
  metrics.publishStoredMetrics();
  return response;
}
