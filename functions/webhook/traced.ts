import type { SendMessageCommandInput } from '@aws-sdk/client-sqs';

/**
 * Passes the trace of this invocation on with an SQS message, so that the recorder's trace is linked to it. Lambda sets
 * the environment variable for each invocation.
 *
 * @see https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sqs.html
 */
export function traced(
  environment: NodeJS.ProcessEnv,
): Pick<SendMessageCommandInput, 'MessageSystemAttributes'> {
  const header = environment['_X_AMZN_TRACE_ID'];
  if (header === undefined) return {};
  return { MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: header } } };
}
