import * as v from 'valibot';

/** The outputs of the stack: where a stage's resources are. */
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
  /** Only with the setting `exports`. */
  ExportBucketName: v.optional(v.string()),
  AthenaWorkgroup: v.optional(v.string()),
});
export type StackOutputs = v.InferOutput<typeof StackOutputs>;

/** The name of a stage's stack. */
export function stackName(stage: string): string {
  return `vss-webhook-${stage}`;
}

/** The name of a stack's database in Glue, which takes neither capitals nor hyphens. */
export function databaseName(stack: string): string {
  return stack.toLowerCase().replaceAll('-', '_');
}
