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
 * The Authorization value that 8x8 sends, and the digests by which the webhook knows it. Each version is a secret
 * of its own, and the one before and the one after exist too: so CloudFormation itself makes a rotation. The webhook
 * accepts the new value before 8x8 is told, and the old one after. When a deployment fails, CloudFormation takes the
 * webhook back first and the registration at 8x8 later: then too it accepts what 8x8 sends.
 */
export class Authorization extends Construct {
  /** Holds the current value. */
  readonly secret: Secret;
  /** SHA-256 of the previous value, the current and the next one, in hexadecimal, comma-separated. */
  readonly digests: string;

  readonly #encryption: Encryption;

  constructor(scope: Construct, id: string, { version, encryption }: AuthorizationProps) {
    super(scope, id);
    this.#encryption = encryption;
    this.secret = this.secretOfVersion(version);
    const previous = version > 1 ? [this.secretOfVersion(version - 1)] : [];
    const accepted = [...previous, this.secret, this.secretOfVersion(version + 1)];

    const reader = new NodeFunction(this, 'Function', {
      folder: 'authorization',
      description: 'Tells the stack the digests of the accepted Authorization values',
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
      // Instead of an hour, should the answer get lost.
      serviceTimeout: Duration.minutes(5),
    });
    this.digests = resource.getAttString('digests');
  }

  private secretOfVersion(version: number): Secret {
    const { dataKey } = this.#encryption;
    const secret = new Secret(this, `Version${version}`, {
      ...(dataKey && { encryptionKey: dataKey }),
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
