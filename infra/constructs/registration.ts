import { ArnFormat, CustomResource, Duration, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { CheckEvent } from '../../functions/registration/check.ts';
import type { Settings } from '../settings.ts';
import { CustomResourceProvider } from './custom-resource-provider.ts';
import type { Encryption } from './encryption.ts';
import { FunctionSchedule } from './function-schedule.ts';
import { NodeFunction } from './node-function.ts';

export interface RegistrationProps {
  settings: Settings;
  /** The URL to register. */
  url: string;
  /** Holds the Authorization value to register. */
  authorizationSecret: Secret;
  encryption: Encryption;
  /** What has to be live before 8x8 is told, and is removed only after 8x8 has been told. */
  receives: readonly Construct[];
}

/**
 * How many sub-accounts CloudFormation registers at a time. All at once would exceed 8x8's rate limit, and Lambda's
 * concurrency in a new AWS account, which is 10: each registration takes two functions.
 */
const REGISTRATIONS_AT_A_TIME = 2;

/** Keeps the webhook registered at 8x8, one registration per sub-account, and checks that it is. */
export class Registration extends Construct {
  /** The function that registers and checks. */
  readonly function: NodeFunction;

  constructor(scope: Construct, id: string, props: RegistrationProps) {
    super(scope, id);
    const { settings, url, authorizationSecret, encryption, receives } = props;
    const { subAccountIds, apiKeySecretName } = settings;
    const stack = Stack.of(this);
    this.function = new NodeFunction(this, 'Function', {
      folder: 'registration',
      description: 'Registers the webhook at 8x8, and checks that it is registered',
      // Two permissions that take a minute each to hold, and as long as calls to 8x8 may take (webhooks-api.ts).
      timeout: Duration.minutes(13),
      environment: {
        WEBHOOKS_API_URL: settings.webhooksApiUrl,
        API_KEY_SECRET_NAME: apiKeySecretName,
        SUB_ACCOUNT_IDS: subAccountIds.join(','),
      },
    });
    this.function.addToRolePolicy(
      new PolicyStatement({
        actions: ['secretsmanager:GetSecretValue'],
        resources: [
          authorizationSecret.secretArn,
          // Secrets Manager ends the ARN of a secret with a hyphen and six random characters: this is that one name.
          stack.formatArn({
            service: 'secretsmanager',
            resource: 'secret',
            resourceName: `${apiKeySecretName}-??????`,
            arnFormat: ArnFormat.COLON_RESOURCE_NAME,
          }),
        ],
      }),
    );
    encryption.key.grant(this.function, 'kms:Decrypt');
    // Whether the stack is rolling back or cleaning up.
    this.function.addToRolePolicy(
      new PolicyStatement({ actions: ['cloudformation:DescribeStacks'], resources: [stack.stackId] }),
    );

    const { serviceToken } = new CustomResourceProvider(this, 'Provider', this.function);
    const registrations: CustomResource[] = [];
    for (const [i, subAccountId] of subAccountIds.entries()) {
      // The logical id comes from this id. Were it to change, CloudFormation would register the webhook under the new
      // one and then delete the old one, and with it the webhook.
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
      const previous = registrations[i - REGISTRATIONS_AT_A_TIME];
      registration.node.addDependency(...receives, ...(previous ? [previous] : []));
      registrations.push(registration);
    }
    // A new schedule starts at once, so it has to come after what it checks.
    const event: CheckEvent = { check: { url, subAccountIds } };
    new FunctionSchedule(this, 'Schedule', {
      target: this.function,
      description: 'Checks that the webhook is registered at 8x8',
      minutes: settings.registrationCheckMinutes,
      event,
    }).node.addDependency(...registrations);
  }
}
