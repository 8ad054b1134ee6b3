import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';

/** A minimal webhook in front of a queue: only SendMessage. */

const sqs = new SQSClient();

export async function handler({ body }: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> {
  // API Gateway passes the body in base64, because the API treats every media type as binary.
  const MessageBody = Buffer.from(body ?? '', 'base64').toString();
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env['QUEUE_URL'], MessageBody }));
  return { statusCode: 200, body: '' };
}
