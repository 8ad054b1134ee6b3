import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { type Grant, type IGrantable, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { Settings } from '../settings.ts';

/**
 * The KMS key of the stack. It encrypts the alarm topic and, with the setting `customerManagedKey`, all data. Functions
 * and analysts always have permission to use it, so that the setting can be changed at any time: existing messages,
 * backups and exports keep the encryption with which they were written, and CloudFormation updates a queue before the
 * policies that refer to it.
 */
export class Encryption extends Construct {
  readonly key: Key;
  /** The key that encrypts new data; undefined if keys that AWS owns encrypt it. */
  readonly dataKey: Key | undefined;

  constructor(scope: Construct, id: string, { retainData, customerManagedKey }: Settings) {
    super(scope, id);
    const stack = Stack.of(this);
    // Retained data needs the key: the table, and the exports, whose bucket is always retained. Only a failed creation
    // deletes the key then.
    const retain = retainData || customerManagedKey;
    this.key = new Key(this, 'Key', {
      description: `Encrypts the data of ${stack.stackName}`,
      enableKeyRotation: true,
      removalPolicy: retain ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
    });
    this.dataKey = customerManagedKey ? this.key : undefined;
    // CloudWatch publishes the alarms, and has no permission to use the default key of SNS.
    this.key.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resources: ['*'],
        conditions: { StringEquals: { 'aws:SourceAccount': stack.account } },
      }),
    );
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    this.key.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal(`logs.${stack.region}.amazonaws.com`)],
        // As in the documentation, which does not list the variants that CloudWatch Logs calls.
        actions: ['kms:Decrypt*', 'kms:Describe*', 'kms:Encrypt*', 'kms:GenerateDataKey*', 'kms:ReEncrypt*'],
        resources: ['*'],
        conditions: {
          ArnLike: {
            'kms:EncryptionContext:aws:logs:arn': stack.formatArn({
              service: 'logs',
              resource: `log-group:${stack.stackName}-*`,
            }),
          },
        },
      }),
    );
  }

  /** Grants encryption and decryption. `grantEncryptDecrypt` of CDK uses wildcards in its actions. */
  grantReadAndWrite(grantee: IGrantable): Grant {
    return this.key.grant(
      grantee,
      'kms:Decrypt',
      'kms:DescribeKey',
      'kms:Encrypt',
      'kms:GenerateDataKey',
      'kms:ReEncryptFrom',
      'kms:ReEncryptTo',
    );
  }
}
