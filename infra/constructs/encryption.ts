import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { type Grant, type IGrantable, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { Settings } from '../settings.ts';

/**
 * The key of the stack. It encrypts the alarm topic, and with the setting `customerManagedKey` all data. That setting can
 * be changed at any time: whoever reads or writes data may use the key whatever its value, because messages, backups and
 * exports stay encrypted as they were written, and because CloudFormation changes a queue before the policies that refer
 * to it.
 */
export class Encryption extends Construct {
  readonly key: Key;
  /** The key for what is written from now on; AWS's own, where it is undefined. */
  readonly dataKey: Key | undefined;

  constructor(scope: Construct, id: string, { retainData, customerManagedKey }: Settings) {
    super(scope, id);
    const stack = Stack.of(this);
    // Kept with the table, and with the exports: their bucket outlives every stack. A creation that fails keeps nothing.
    const retain = retainData || customerManagedKey;
    this.key = new Key(this, 'Key', {
      description: `Encrypts what ${stack.stackName} keeps`,
      enableKeyRotation: true,
      removalPolicy: retain ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
    });
    this.dataKey = customerManagedKey ? this.key : undefined;
    // Alarms are published by CloudWatch, which may not use the key that SNS has by default.
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
        // As documented: which variants CloudWatch Logs calls is not.
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

  /** Lets a function read and write what the key encrypts. CDK's own grant has wildcards in its actions. */
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
