import { CustomResource, Duration, Validations } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { CustomResourceProvider } from './custom-resource-provider.ts';
import type { Encryption } from './encryption.ts';
import { NodeFunction } from './node-function.ts';

export interface AuthorizationProps {
  /** The setting `authorizationVersion`. */
  version: number;
  encryption: Encryption;
}

/**
 * The Authorization value that 8x8 sends, and the digests with which the webhook verifies it. Each version is a
 * separate secret. The previous and the next version exist too, so CloudFormation can rotate the value without a gap:
 * the webhook accepts the new value before it is registered at 8x8, and still accepts the old value afterwards. After a
 * failed deployment, CloudFormation rolls back the webhook before the registration. Meanwhile the webhook accepts the
 * value that 8x8 sends, because both sets of digests include it.
 */
export class Authorization extends Construct {
  /** Contains the current value. */
  readonly secret: Secret;
  /** Hexadecimal SHA-256 digests of the previous, the current and the next value, comma-separated. */
  readonly digests: string;

  readonly #encryption: Encryption;

  constructor(scope: Construct, id: string, { version, encryption }: AuthorizationProps) {
    super(scope, id);
    this.#encryption = encryption;
    this.secret = this.#secretOfVersion(version);
    const previous = version > 1 ? [this.#secretOfVersion(version - 1)] : [];
    const accepted = [...previous, this.secret, this.#secretOfVersion(version + 1)];

    const reader = new NodeFunction(this, 'Function', {
      folder: 'authorization',
      description: 'Computes the digests of the accepted Authorization values',
      timeout: Duration.minutes(2),
    });
    const secretArns = accepted.map((secret) => secret.secretArn);
    reader.addToRolePolicy(
      new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: secretArns }),
    );

    encryption.key.grant(reader, 'kms:Decrypt');
    const provider = new CustomResourceProvider(this, 'Provider', reader);
    const resource = new CustomResource(this, 'Digests', {
      serviceToken: provider.serviceToken,
      resourceType: 'Custom::AuthorizationDigests',
      properties: { version, secretArns },
      // The default is an hour, for which a deployment would hang if the response were lost.
      serviceTimeout: Duration.minutes(5),
    });
    this.digests = resource.getAttString('digests');
  }

  #secretOfVersion(version: number): Secret {
    const { dataKey } = this.#encryption;
    const secret = new Secret(this, `Version${version}`, {
      ...(dataKey && { encryptionKey: dataKey }),
      description: `Authorization header that 8x8 sends to the webhook, version ${version}`,
      // 43 letters and digits have 256 bits of entropy.
      generateSecretString: { passwordLength: 43, excludePunctuation: true, requireEachIncludedType: false },
    });
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions::AwsSolutions-SMG4',
      reason:
        'Raising authorizationVersion rotates the value, because the same deployment has to register the new value at 8x8.',
    });
    return secret;
  }
}
