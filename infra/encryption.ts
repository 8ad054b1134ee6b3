import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { type Grant, type IGrantable, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';

export interface EncryptionProps {
  /** Whether the key outlives the stack, as the data that it encrypts does; not a creation that fails. */
  retain: boolean;
}

/** The stack's own key. */
export class Encryption extends Construct {
  readonly key: Key;

  constructor(scope: Construct, id: string, { retain }: EncryptionProps) {
    super(scope, id);
    const stack = Stack.of(this);
    this.key = new Key(this, 'Key', {
      description: `Encrypts what ${stack.stackName} keeps`,
      enableKeyRotation: true,
      removalPolicy: retain ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
    });
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
        actions: [...READ_AND_WRITE],
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
  static grant(key: Key, grantee: IGrantable): Grant {
    return key.grant(grantee, ...READ_AND_WRITE);
  }
}

const READ_AND_WRITE = [
  'kms:Decrypt',
  'kms:DescribeKey',
  'kms:Encrypt',
  'kms:GenerateDataKey',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
] as const;
