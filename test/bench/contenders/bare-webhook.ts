import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';

/** A minimal webhook in front of a queue: sends the same message as ours, and logs one line. */

const sqs = new SQSClient();

export async function handler({
  body,
  requestContext: { requestId, requestTimeEpoch },
}: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> {
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: process.env['QUEUE_URL'],
      // API Gateway passes the body in base64, because the API treats every media type as binary.
      MessageBody: Buffer.from(body ?? '', 'base64').toString(),
      MessageAttributes: {
        receivedAt: { DataType: 'String', StringValue: new Date(requestTimeEpoch).toISOString() },
        requestId: { DataType: 'String', StringValue: requestId },
      },
    }),
  );
  console.log(JSON.stringify({ message: 'accepted', requestId }));
  return { statusCode: 200, body: '' };
}
