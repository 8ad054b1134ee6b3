import { CustomResource, Duration, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { CheckEvent } from '../../functions/registration/check.ts';
import type { Settings } from '../settings.ts';
import { apiKeySecretArn } from './api-key-secret.ts';
import { CustomResourceProvider } from './custom-resource-provider.ts';
import type { Encryption } from './encryption.ts';
import { FunctionSchedule } from './function-schedule.ts';
import { NodeFunction } from './node-function.ts';

export interface RegistrationProps {
  settings: Settings;
  /** The URL to register. */
  url: string;
  /** Contains the Authorization value to register. */
  authorizationSecret: Secret;
  encryption: Encryption;
  /** What receives deliveries. It is created before the webhook is registered, and deleted after it is removed. */
  receives: readonly Construct[];
}

/**
 * How many sub-accounts CloudFormation registers concurrently. All of them would exceed the rate limit of 8x8, and the
 * Lambda concurrency of a new AWS account, which is 10: each registration needs two functions.
 */
const CONCURRENT_REGISTRATIONS = 2;

/** Registers the webhook at 8x8 for each sub-account, and checks on a schedule that it is still registered. */
export class Registration extends Construct {
  /** The function that registers and checks. */
  readonly function: NodeFunction;
  /** The registrations of the sub-accounts. */
  readonly webhooks: readonly CustomResource[];

  constructor(scope: Construct, id: string, props: RegistrationProps) {
    super(scope, id);
    const { url, settings } = props;
    const { subAccountIds, registrationCheckMinutes } = settings;
    this.function = this.#function(props);
    this.webhooks = this.#registrations(props);
    const event: CheckEvent = { check: { url, subAccountIds } };
    new FunctionSchedule(this, 'Schedule', {
      target: this.function,
      description: 'Checks that the webhook is registered at 8x8',
      minutes: registrationCheckMinutes,
      event,
    });
  }

  #function({ settings, authorizationSecret, encryption }: RegistrationProps): NodeFunction {
    const stack = Stack.of(this);
    const handler = new NodeFunction(this, 'Function', {
      folder: 'registration',
      description: 'Registers the webhook at 8x8, and checks that it is registered',
      // The calls to 8x8 (webhooks-api.ts), and up to a minute each until two permissions take effect.
      timeout: Duration.minutes(13),
      environment: {
        WEBHOOKS_API_URL: settings.webhooksApiUrl,
        API_KEY_SECRET_NAME: settings.apiKeySecretName,
        SUB_ACCOUNT_IDS: settings.subAccountIds.join(','),
      },
    });
    handler.addToRolePolicy(
      new PolicyStatement({
        actions: ['secretsmanager:GetSecretValue'],
        resources: [authorizationSecret.secretArn, apiKeySecretArn(stack, settings)],
      }),
    );
    encryption.key.grant(handler, 'kms:Decrypt');
    // The status of the stack tells the function whether this is a rollback or a clean-up.
    handler.addToRolePolicy(
      new PolicyStatement({ actions: ['cloudformation:DescribeStacks'], resources: [stack.stackId] }),
    );
    return handler;
  }

  #registrations({ settings, url, authorizationSecret, receives }: RegistrationProps): CustomResource[] {
    const { serviceToken } = new CustomResourceProvider(this, 'Provider', this.function);
    const registrations: CustomResource[] = [];
    for (const [i, subAccountId] of settings.subAccountIds.entries()) {
      // The logical id derives from this id. If it changed, CloudFormation would register the webhook under the new id,
      // then delete the old resource, and with it the webhook.
      const registration = new CustomResource(this, `SubAccount-${subAccountId}`, {
        serviceToken,
        resourceType: 'Custom::WebhookRegistration',
        properties: {
          subAccountId,
          webhooksApiUrl: settings.webhooksApiUrl,
          url,
          authorizationSecretArn: authorizationSecret.secretArn,
          takeOver: settings.takeOver,
          onDelete: settings.onDelete,
        },
        serviceTimeout: Duration.minutes(15),
      });
      const previous = registrations[i - CONCURRENT_REGISTRATIONS];
      registration.node.addDependency(...receives, ...(previous ? [previous] : []));
      registrations.push(registration);
    }
    return registrations;
  }
}
