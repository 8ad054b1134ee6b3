import { Aspects, Aws, CfnOutput, CfnRule, Fn, Stack, type StackProps, Tags } from 'aws-cdk-lib';
import { ManagedPolicy, PermissionsBoundary } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { CfnLogGroup } from 'aws-cdk-lib/aws-logs';
import { CfnPipe } from 'aws-cdk-lib/aws-pipes';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import type { Construct } from 'constructs';
import { Authorization } from './constructs/authorization.ts';
import { DeliveryApi } from './constructs/delivery-api.ts';
import { Encryption } from './constructs/encryption.ts';
import { Queues } from './constructs/queues.ts';
import { Reconciliation, type ReconciliationProps } from './constructs/reconciliation.ts';
import { Recorder, visibilityTimeout } from './constructs/recorder.ts';
import { Registration } from './constructs/registration.ts';
import { SessionTable } from './constructs/session-table.ts';
import { Tracing } from './constructs/tracing.ts';
import { Webhook, type WebhookProps } from './constructs/webhook.ts';
import { Athena } from './exports/athena.ts';
import { Exports } from './exports/exports.ts';
import { Alarms } from './monitoring/alarms.ts';
import { Dashboard } from './monitoring/dashboard.ts';
import { SessionEvents } from './session-events/session-events.ts';
import type { Settings } from './settings.ts';
import { LOCAL, type Stage } from './stages.ts';

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
    const { table } = new SessionTable(this, 'Sessions', {
      encryption,
      retain: settings.retainData,
      stream: settings.sessionEvents !== undefined,
    });
    const { authorization, webhook, deliveryApi } = this.#receive(stage, {
      queue,
      deadLetterQueue,
      encryption,
    });
    const recorder = new Recorder(this, 'Recorder', { queue, deadLetterQueue, table, encryption, settings });
    const registration = new Registration(this, 'Registration', {
      settings,
      url: deliveryApi.url,
      authorizationSecret: authorization.secret,
      encryption,
      receives: [deliveryApi, webhook, recorder],
    });
    const sessionEvents =
      settings.sessionEvents &&
      new SessionEvents(this, 'SessionEvents', { settings: settings.sessionEvents, table, encryption });
    const inBucket = this.#fillBucket({ settings, table, queue, deadLetterQueue, encryption });
    this.#startLast(registration.webhooks);
    const monitored = {
      stageName: stage.name,
      settings,
      key: encryption.key,
      api: deliveryApi.restApi,
      queue,
      deadLetterQueue,
      table,
      sessionEvents,
      functions: {
        Webhook: webhook.function,
        Recorder: recorder.function,
        Registration: registration.function,
        ...inBucket,
      },
    };
    const { alarms } = new Alarms(this, 'Alarms', monitored);
    new Dashboard(this, 'Dashboard', { ...monitored, alarms });
    this.#refuseToDeploy(notDeployable(stage));
    this.#applyToAll(settings, encryption.dataKey);
    this.#addOutputs({
      WebhookUrl: deliveryApi.url,
      AuthorizationSecretArn: authorization.secret.secretArn,
      QueueUrl: queue.queueUrl,
      DeadLetterQueueUrl: deadLetterQueue.queueUrl,
      SubAccountIds: settings.subAccountIds.join(','),
      WebhookFunctionName: webhook.function.functionName,
      RecorderEventSourceMappingId: recorder.eventSourceMappingId,
      RegistrationFunctionName: registration.function.functionName,
      TableName: table.tableName,
    });
  }

  /** What receives deliveries: the API, the webhook function, and the Authorization value that it accepts. */
  #receive(
    { name, settings }: Stage,
    shared: Pick<WebhookProps, 'queue' | 'deadLetterQueue' | 'encryption'>,
  ) {
    const authorization = new Authorization(this, 'Authorization', {
      version: settings.authorizationVersion,
      encryption: shared.encryption,
    });
    const webhook = new Webhook(this, 'Webhook', {
      subAccountIds: settings.subAccountIds,
      authorizationDigests: authorization.digests,
      concurrency: settings.webhookConcurrency,
      ...shared,
    });
    // The id is part of the logical ids: a new one would replace the API, and with it the URL.
    const deliveryApi = new DeliveryApi(this, 'Edge', {
      stageName: name,
      settings,
      receiver: webhook.function,
    });
    new Tracing(this, 'Tracing', {
      fraction: settings.tracedFraction,
      serviceName: `${this.stackName}/${name}`,
    });
    return { authorization, webhook, deliveryApi };
  }

  /** The bucket and what fills it: exports, queries over them, and reconciliation. Returns the functions. */
  #fillBucket(shared: Omit<ReconciliationProps, 'bucket'>) {
    const { settings, encryption } = shared;
    const withCharges = settings.reconciliation !== 'off';
    if (!settings.exports && !withCharges) return {};
    const exports = new Exports(this, 'Exports', shared);
    const { bucket } = exports;
    if (settings.exports) new Athena(this, 'Athena', { settings, bucket, encryption, withCharges });
    const reconciliation = withCharges && new Reconciliation(this, 'Reconciliation', { ...shared, bucket });
    return {
      ...(exports.function && { Exports: exports.function }),
      ...(reconciliation && { Reconciliation: reconciliation.function }),
    };
  }

  /**
   * Creates what starts by itself after the webhooks are registered. A first deployment that fails until then is rolled
   * back, and CloudFormation could not delete a bucket to which a schedule has written. EventBridge also rejects pipes
   * whose stream or role was created seconds ago: https://github.com/aws/aws-cdk/issues/31211
   */
  #startLast(webhooks: readonly Construct[]): void {
    for (const each of this.node.findAll())
      if (each instanceof CfnSchedule || each instanceof CfnPipe) each.node.addDependency(...webhooks);
  }

  /** Adds a rule that always fails: CloudFormation checks rules before it changes anything, and shows the reason. */
  #refuseToDeploy(reason: string | undefined): void {
    if (reason === undefined) return;
    new CfnRule(this, 'Deployable', {
      // No region has this name. A rule without a reference might be rejected for another reason.
      assertions: [{ assert: Fn.conditionEquals(Aws.REGION, 'none'), assertDescription: reason }],
    });
  }

  /** Configures every log group, role and resource, including those of CDK's own functions. */
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
    // In some regions the schema of dashboards has no tags yet.
    const excludeResourceTypes = ['AWS::CloudWatch::Dashboard'];
    for (const [name, value] of Object.entries(tags))
      Tags.of(this).add(name, value, { excludeResourceTypes });
  }

  #addOutputs(values: Record<(typeof OUTPUTS)[number][0], string>): void {
    for (const [name, description] of OUTPUTS)
      new CfnOutput(this, name, { value: values[name], description });
  }
}

const OUTPUTS = [
  ['WebhookUrl', 'URL to which 8x8 delivers'],
  ['AuthorizationSecretArn', 'Secret with the Authorization value that 8x8 sends'],
  ['QueueUrl', 'Queue of deliveries to be recorded'],
  ['DeadLetterQueueUrl', 'Queue of deliveries that could not be recorded'],
  ['SubAccountIds', 'Sub-accounts whose webhook is registered at 8x8'],
  ['WebhookFunctionName', 'Function that receives deliveries'],
  ['RecorderEventSourceMappingId', 'Invokes the recorder for the queue; disable it to stop recording'],
  ['RegistrationFunctionName', 'Function that registers the webhook at 8x8 and checks the registration'],
  ['TableName', 'Table of session records'],
] as const;

/** Why a stage can be synthesized but not deployed; undefined if it can be deployed. */
function notDeployable({ name, settings }: Stage): string | undefined {
  if (name === LOCAL) return 'The stage local is only for npm start. Deploy another stage: -c stage=NAME';
  if (!settings.subAccountIds.some((id) => id.startsWith('your_subaccount'))) return undefined;
  return `subAccountIds of the stage ${name} in cdk.json is still the placeholder. Set it to your 8x8 sub-accounts`;
}
