import type { SendMessageCommandInput } from '@aws-sdk/client-sqs';

/**
 * What joins the recorder's trace to this one: Lambda takes up the trace that a message carries, and sets the header
 * of the running one for each invocation.
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
