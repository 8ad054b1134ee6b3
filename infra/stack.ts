import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Authorization } from './authorization.ts';
import type { Stage } from './config.ts';
import { Edge } from './edge.ts';
import { Queues } from './queues.ts';
import { Recorder } from './recorder.ts';
import { Registration } from './registration.ts';
import { SessionTable } from './session-table.ts';
import { Webhook } from './webhook.ts';

export interface VssWebhookStackProps extends StackProps {
  stage: Stage;
}

/** Receives Voice Session Summaries from 8x8 and keeps one record per session. */
export class VssWebhookStack extends Stack {
  constructor(scope: Construct, id: string, { stage, ...props }: VssWebhookStackProps) {
    super(scope, id, {
      description: `Voice Session Summaries of 8x8: webhook and session records (${stage.name})`,
      ...props,
    });

    const { settings } = stage;
    const { queue, deadLetterQueue } = new Queues(this, 'Queues');
    const { table } = new SessionTable(this, 'Sessions');
    const authorization = new Authorization(this, 'Authorization', {
      version: settings.authorizationVersion,
    });
    const webhook = new Webhook(this, 'Webhook', {
      subAccountIds: settings.subAccountIds,
      authorizationDigests: authorization.digests,
      queue,
      deadLetterQueue,
    });
    const edge = new Edge(this, 'Edge', { stageName: stage.name, settings, receiver: webhook.function });
    const recorder = new Recorder(this, 'Recorder', { queue, deadLetterQueue, table });
    const registration = new Registration(this, 'Registration', {
      settings,
      url: edge.url,
      authorizationSecret: authorization.secret,
      receives: [edge, webhook, recorder],
    });

    new CfnOutput(this, 'WebhookUrl', { value: edge.url, description: 'Where 8x8 delivers' });
    new CfnOutput(this, 'AuthorizationSecretArn', {
      value: authorization.secret.secretArn,
      description: 'Holds the Authorization value that 8x8 sends',
    });
    new CfnOutput(this, 'QueueUrl', { value: queue.queueUrl, description: 'Deliveries to be recorded' });
    new CfnOutput(this, 'DeadLetterQueueUrl', {
      value: deadLetterQueue.queueUrl,
      description: 'Deliveries that could not be recorded',
    });
    new CfnOutput(this, 'SubAccountIds', {
      value: settings.subAccountIds.join(','),
      description: 'Sub-accounts whose webhook is registered at 8x8',
    });
    new CfnOutput(this, 'RegistrationFunctionName', {
      value: registration.function.functionName,
      description: 'Registers the webhook at 8x8, and checks that it is registered',
    });
    new CfnOutput(this, 'TableName', { value: table.tableName, description: 'Session records' });
  }
}
