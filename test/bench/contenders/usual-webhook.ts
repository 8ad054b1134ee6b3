import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { Tracer } from '@aws-lambda-powertools/tracer';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { VoiceSessionSummary } from './usual-summary.ts';

/** A webhook as in the documentation of Powertools, with zod. It does not handle the quirks of 8x8's summaries. */

const logger = new Logger();
const metrics = new Metrics({ namespace: 'Usual' });
const tracer = new Tracer();
const sqs = tracer.captureAWSv3Client(new SQSClient());

export async function handler({ headers, body }: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> {
  if (headers['Authorization'] !== process.env['AUTHORIZATION']) return { statusCode: 401, body: '' };
  const MessageBody = Buffer.from(body ?? '', 'base64').toString();
  const read = VoiceSessionSummary.safeParse(JSON.parse(MessageBody));
  if (!read.success) return { statusCode: 422, body: JSON.stringify(read.error.issues) };

  await sqs.send(new SendMessageCommand({ QueueUrl: process.env['QUEUE_URL'], MessageBody }));
  const { sessionId } = read.data.payload;
  logger.info('Accepted', { sessionId });
  metrics.addMetric('Accepted', MetricUnit.Count, 1);
  metrics.publishStoredMetrics();
  return { statusCode: 200, body: JSON.stringify({ sessionId }) };
}
