import { Aspects, Aws, CfnOutput, CfnRule, Fn, Stack, type StackProps, Tags } from 'aws-cdk-lib';
import { ManagedPolicy, PermissionsBoundary } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { CfnLogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { Authorization } from './constructs/authorization.ts';
import { Edge } from './constructs/edge.ts';
import { Encryption } from './constructs/encryption.ts';
import { Queues } from './constructs/queues.ts';
import { Recorder, visibilityTimeout } from './constructs/recorder.ts';
import { Registration } from './constructs/registration.ts';
import { SessionTable } from './constructs/session-table.ts';
import { Tracing } from './constructs/tracing.ts';
import { Webhook } from './constructs/webhook.ts';
import { Athena } from './exports/athena.ts';
import { ExportAge } from './exports/export-age.ts';
import { Exports } from './exports/exports.ts';
import { Alarms } from './monitoring/alarms.ts';
import { Dashboard } from './monitoring/dashboard.ts';
import type { Settings } from './settings.ts';
import type { Stage } from './stages.ts';

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
    const encryption = new Encryption(this, 'Encryption', settings);
    const { queue, deadLetterQueue } = new Queues(this, 'Queues', {
      encryption,
      visibilityTimeout: visibilityTimeout(settings),
    });
    const { table } = new SessionTable(this, 'Sessions', { encryption, retain: settings.retainData });
    const authorization = new Authorization(this, 'Authorization', {
      version: settings.authorizationVersion,
      encryption,
    });
    const webhook = new Webhook(this, 'Webhook', {
      subAccountIds: settings.subAccountIds,
      authorizationDigests: authorization.digests,
      queue,
      deadLetterQueue,
      concurrency: settings.webhookConcurrency,
      encryption,
    });
    const edge = new Edge(this, 'Edge', { stageName: stage.name, settings, receiver: webhook.function });
    new Tracing(this, 'Tracing', {
      fraction: settings.tracedFraction,
      serviceName: `${this.stackName}/${stage.name}`,
    });
    const recorder = new Recorder(this, 'Recorder', {
      queue,
      deadLetterQueue,
      table,
      encryption,
      settings,
    });
    const registration = new Registration(this, 'Registration', {
      settings,
      url: edge.url,
      authorizationSecret: authorization.secret,
      encryption,
      receives: [edge, webhook, recorder],
    });
    const exports = settings.exports
      ? new Exports(this, 'Exports', { settings, table, encryption })
      : undefined;
    const exportAge = exports && new ExportAge(this, 'ExportAge', { table, bucket: exports.bucket });
    if (exports) new Athena(this, 'Athena', { settings, bucket: exports.bucket, encryption });
    const functions = {
      Webhook: webhook.function,
      Recorder: recorder.function,
      Registration: registration.function,
      ...(exportAge && { ExportAge: exportAge.function }),
    };
    const observed = { api: edge.api, queue, deadLetterQueue, table, functions };
    const { alarms } = new Alarms(this, 'Alarms', {
      ...observed,
      exports,
      stageName: stage.name,
      settings,
      key: encryption.key,
    });
    new Dashboard(this, 'Dashboard', { ...observed, alarms });
    this.#refuseToDeploy(notDeployable(stage));
    this.#applyToAll(settings, encryption.dataKey);

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
    new CfnOutput(this, 'WebhookFunctionName', {
      value: webhook.function.functionName,
      description: 'Takes deliveries',
    });
    new CfnOutput(this, 'RecorderEventSourceMappingId', {
      value: recorder.eventSourceMappingId,
      description: 'Feeds the recorder from the queue; disable it to stop recording',
    });
    new CfnOutput(this, 'RegistrationFunctionName', {
      value: registration.function.functionName,
      description: 'Registers the webhook at 8x8, and checks that it is registered',
    });
    new CfnOutput(this, 'TableName', { value: table.tableName, description: 'Session records' });
  }

  /** Adds a rule that CloudFormation cannot meet: it checks rules before it changes anything, and shows the reason. */
  #refuseToDeploy(reason: string | undefined): void {
    if (reason === undefined) return;
    new CfnRule(this, 'Deployable', {
      // No region has this name. A rule without a reference might be refused for another reason.
      assertions: [{ assert: Fn.conditionEquals(Aws.REGION, 'none'), assertDescription: reason }],
    });
  }

  /** What every log group, role and resource has, those of CDK's own functions too. */
  #applyToAll({ logRetentionDays, permissionsBoundaryArn, tags }: Settings, key: Key | undefined): void {
    Aspects.of(this).add({
      visit(node) {
        if (!(node instanceof CfnLogGroup)) return;
        node.retentionInDays = logRetentionDays;
        if (key) node.kmsKeyId = key.keyArn;
      },
    });
    if (permissionsBoundaryArn !== undefined) {
      const boundary = ManagedPolicy.fromManagedPolicyArn(this, 'Boundary', permissionsBoundaryArn);
      PermissionsBoundary.of(this).apply(boundary);
    }
    // Not every region's schema of a dashboard has tags yet.
    const excludeResourceTypes = ['AWS::CloudWatch::Dashboard'];
    for (const [name, value] of Object.entries(tags))
      Tags.of(this).add(name, value, { excludeResourceTypes });
  }
}

/** Why a stage may be synthesized but not deployed; undefined if it may be deployed. */
function notDeployable({ name, settings }: Stage): string | undefined {
  if (name === 'local') return 'The stage local is for npm start. Deploy another one: -c stage=NAME';
  if (!settings.subAccountIds.some((id) => id.startsWith('your_subaccount'))) return undefined;
  return `subAccountIds of the stage ${name} in cdk.json is still the placeholder. Set it to your sub-accounts at 8x8`;
}
