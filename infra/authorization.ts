import { CustomResource, Duration, Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Provider } from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import { NodeFunction, roleWithLogs } from './node-function.ts';

export interface AuthorizationProps {
  /** The setting `authorizationVersion`. */
  version: number;
}

/**
 * The Authorization value that 8x8 sends, and the digests by which the webhook knows it. Each version is a secret
 * of its own, and the previous one stays until the next raise: so CloudFormation itself makes a rotation, keeps the
 * old value accepted while 8x8 is being told the new one, and undoes it all when a deployment fails.
 */
export class Authorization extends Construct {
  /** Holds the current value. */
  readonly secret: Secret;
  /** SHA-256 of the current and the previous value, in hexadecimal, comma-separated. */
  readonly digests: string;

  constructor(scope: Construct, id: string, { version }: AuthorizationProps) {
    super(scope, id);
    this.secret = this.secretOfVersion(version);
    const accepted = version > 1 ? [this.secret, this.secretOfVersion(version - 1)] : [this.secret];

    const reader = new NodeFunction(this, 'Function', {
      folder: 'authorization',
      description: 'Tells the stack the digests of the accepted Authorization values',
      timeout: Duration.minutes(2),
    });
    const secretArns = accepted.map((secret) => secret.secretArn);
    reader.addToRolePolicy(
      new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: secretArns }),
    );

    const { role, logGroup } = roleWithLogs(this, 'Provider');
    const provider = new Provider(this, 'Provider', {
      onEventHandler: reader,
      logGroup,
      frameworkOnEventRole: role,
    });
    Validations.of(role).acknowledge({
      id: `AwsSolutions::AwsSolutions-IAM5[Resource::<${Stack.of(this).resolve(reader.functionArn)['Fn::GetAtt'][0]}.Arn>:*]`,
      reason: 'The CDK provider framework invokes the function by ARN and by version of that ARN.',
    });
    const resource = new CustomResource(this, 'Digests', {
      serviceToken: provider.serviceToken,
      resourceType: 'Custom::AuthorizationDigests',
      properties: { version, secretArns },
      // Instead of an hour, should the answer get lost.
      serviceTimeout: Duration.minutes(5),
    });
    this.digests = resource.getAttString('digests');
  }

  private secretOfVersion(version: number): Secret {
    const secret = new Secret(this, `Version${version}`, {
      description: `Authorization header that 8x8 sends to the webhook, version ${version}`,
      // 43 letters and digits: 256 bits.
      generateSecretString: { passwordLength: 43, excludePunctuation: true, requireEachIncludedType: false },
    });
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions::AwsSolutions-SMG4',
      reason:
        'The value is rotated by raising authorizationVersion: 8x8 has to be told the new one in the same deployment.',
    });
    return secret;
  }
}
