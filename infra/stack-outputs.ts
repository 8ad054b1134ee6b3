import * as v from 'valibot';

/** The outputs of the stack: URL, ARNs and names of a stage's resources. */
export const StackOutputs = v.object({
  WebhookUrl: v.string(),
  AuthorizationSecretArn: v.string(),
  QueueUrl: v.string(),
  DeadLetterQueueUrl: v.string(),
  TableName: v.string(),
  /** Comma-separated. */
  SubAccountIds: v.string(),
  RegistrationFunctionName: v.string(),
  WebhookFunctionName: v.string(),
  AlarmTopicArn: v.string(),
  /** Present only with the setting `exports`, or with `reconciliation`. */
  ExportBucketName: v.optional(v.string()),
  /** Days until an object of that bucket is deleted for good. Present only with it. */
  ExportRetentionDays: v.optional(v.string()),
  /** Present only with the setting `exports`. */
  AthenaWorkgroup: v.optional(v.string()),
  /** Present unless the setting `reconciliation` is `off`. */
  ReconciliationFunctionName: v.optional(v.string()),
  /** Present only with the setting `sessionEvents`, as are the following two. */
  EventBusArn: v.optional(v.string()),
  SessionEventsPipeName: v.optional(v.string()),
  SessionEventsDeadLetterQueueUrl: v.optional(v.string()),
});
export type StackOutputs = v.InferOutput<typeof StackOutputs>;

/** The name of a stage's stack. */
export function stackName(stage: string): string {
  return `vss-webhook-${stage}`;
}

/** The name of a stack's database in Glue, which allows neither upper-case letters nor hyphens. */
export function databaseName(stack: string): string {
  return stack.toLowerCase().replaceAll('-', '_');
}
