import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { onlyOf, templateOf } from '../templates.ts';

const template = templateOf();
const customized = templateOf({
  customerManagedKey: true,
  exportHour: 14,
  exportRetentionDays: 90,
  exportVersioning: true,
});
const only = onlyOf(template);
const bucket = { Ref: only('AWS::S3::Bucket').id };
const bucketArn = { 'Fn::GetAtt': [bucket.Ref, 'Arn'] };
const tableArn = { 'Fn::GetAtt': [only('AWS::DynamoDB::Table').id, 'Arn'] };
const TIME = '<aws.scheduler.scheduled-time>';

/** Renders a string or an Fn::Join as text, with the references as JSON. */
function rendered(value: unknown): string {
  if (typeof value === 'string') return value;
  return JSON.stringify(value, (_, inner) =>
    inner?.['Fn::Join'] ? inner['Fn::Join'][1].map(rendered).join('') : inner,
  ).slice(1, -1);
}

/** The schedule that calls DynamoDB, and its role. */
function schedule(of: typeof template) {
  const { properties } = onlyOf(of)('AWS::Scheduler::Schedule', {
    Description: 'Exports the session records to S3',
  });
  const roles = of.findResources('AWS::IAM::Role');
  return { properties, role: roles[properties.Target.RoleArn['Fn::GetAtt'][0]]?.['Properties'] };
}

describe('the schedule of exports', () => {
  const { properties, role } = schedule(template);

  it('calls DynamoDB once a day at a full hour', () => {
    expect(properties).toMatchObject({
      ScheduleExpression: 'cron(0 2 * * ? *)',
      ScheduleExpressionTimezone: 'UTC',
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: {
        Arn: {
          'Fn::Join': [
            '',
            ['arn:', { Ref: 'AWS::Partition' }, ':scheduler:::aws-sdk:dynamodb:exportTableToPointInTime'],
          ],
        },
        RetryPolicy: { MaximumRetryAttempts: 10, MaximumEventAgeInSeconds: 14_400 },
      },
    });
    expect(schedule(customized).properties.ScheduleExpression).toBe('cron(0 14 * * ? *)');
  });

  it('requests an export under the scheduled time, with a token that makes the request idempotent', () => {
    const [, parts] = properties.Target.Input['Fn::Join'];
    const input = parts
      .map((part: unknown) => (typeof part === 'string' ? part : JSON.stringify(part).replaceAll('"', "'")))
      .join('');

    expect(JSON.parse(input)).toEqual({
      TableArn: JSON.stringify(tableArn).replaceAll('"', "'"),
      S3Bucket: JSON.stringify(bucket).replaceAll('"', "'"),
      S3Prefix: `exports/${TIME}`,
      S3SseAlgorithm: 'AES256',
      ExportFormat: 'DYNAMODB_JSON',
      ClientToken: `stack/${TIME}`,
    });
    expect(JSON.stringify(schedule(customized).properties.Target.Input)).toContain(
      '\\"S3SseAlgorithm\\":\\"KMS\\",\\"S3SseKmsKeyId\\":',
    );
  });

  it('may only export this table to this prefix', () => {
    expect(role.AssumeRolePolicyDocument.Statement).toEqual([
      {
        Effect: 'Allow',
        Action: 'sts:AssumeRole',
        Principal: { Service: 'scheduler.amazonaws.com' },
        Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
      },
    ]);
    expect(
      role.Policies.map(
        ({ PolicyDocument }: { PolicyDocument: { Statement: unknown } }) => PolicyDocument.Statement,
      ),
    ).toEqual([
      [
        { Effect: 'Allow', Action: 'dynamodb:ExportTableToPointInTime', Resource: tableArn },
        {
          Effect: 'Allow',
          Action: ['s3:AbortMultipartUpload', 's3:PutObject', 's3:PutObjectAcl'],
          Resource: { 'Fn::Join': ['', [bucketArn, '/exports/*']] },
        },
      ],
    ]);
    const keyUse = Object.values(customized.findResources('AWS::IAM::Policy')).filter(({ Properties }) =>
      Properties.PolicyName.startsWith('ExportsScheduleRole'),
    );
    expect(keyUse.map(({ Properties }) => Properties.PolicyDocument.Statement)).toEqual([
      [
        {
          Effect: 'Allow',
          Action: ['kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKey'],
          Resource: { 'Fn::GetAtt': [onlyOf(customized)('AWS::KMS::Key').id, 'Arn'] },
        },
      ],
    ]);
  });

  it('exports a table with point-in-time recovery, which exports require', () => {
    template.hasResourceProperties('AWS::DynamoDB::Table', {
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    });
  });

  it.each([
    ['ExportRefused', 'TargetErrorCount'],
    ['ExportDropped', 'InvocationDroppedCount'],
  ])('triggers the alarm %s when an export could not be started', (name, MetricName) => {
    const group = only('AWS::Scheduler::ScheduleGroup');

    expect(properties.GroupName).toEqual({ Ref: group.id });
    expect(only('AWS::CloudWatch::Alarm', { AlarmName: `stack-${name}` }).properties).toMatchObject({
      Namespace: 'AWS/Scheduler',
      MetricName,
      Dimensions: [{ Name: 'ScheduleGroup', Value: { Ref: group.id } }],
      Statistic: 'Sum',
      Threshold: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      TreatMissingData: 'notBreaching',
    });
  });
});

describe('the age of exports', () => {
  const { id, properties } = only('AWS::Lambda::Function', {
    Description: 'Measures the age of the newest export of the session records',
  });

  it('is measured every hour, for this table', () => {
    expect(properties.Environment.Variables).toMatchObject({
      TABLE_ARN: tableArn,
      BUCKET_NAME: bucket,
      EXPORTS_PREFIX: 'exports/',
    });
    template.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'rate(60 minutes)',
      Target: Match.objectLike({ Arn: { 'Fn::GetAtt': [id, 'Arn'] } }),
    });
  });

  it('is measured by a function that may only list and describe exports', () => {
    const statements = Object.values(template.findResources('AWS::IAM::Policy'))
      .filter(({ Properties }) => Properties.Roles[0].Ref === properties.Role['Fn::GetAtt'][0])
      .flatMap(({ Properties }) => Properties.PolicyDocument.Statement)
      .filter(({ Action }) => String(Action).includes('dynamodb:'));
    const tracing = ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'];

    expect(statements).toEqual([
      { Effect: 'Allow', Action: ['dynamodb:ListExports', ...tracing], Resource: '*' },
      { Effect: 'Allow', Action: 'dynamodb:DescribeTable', Resource: tableArn },
      {
        Effect: 'Allow',
        Action: 'dynamodb:DescribeExport',
        Resource: { 'Fn::Join': ['', [tableArn, '/export/*']] },
      },
    ]);
  });

  it('is not measured without exports', () => {
    const without = templateOf({ exports: false });

    without.resourceCountIs('AWS::Scheduler::Schedule', 1);
    for (const { Properties } of Object.values(without.findResources('AWS::CloudWatch::Alarm')))
      expect(Properties.AlarmName).not.toContain('Export');
  });
});

describe('the bucket of exports', () => {
  it('is private and encrypted, and requires TLS 1.2 or later', () => {
    for (const of of [template, customized]) {
      of.hasResourceProperties('AWS::S3::Bucket', {
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      });
      const { Statement } = onlyOf(of)('AWS::S3::BucketPolicy').properties.PolicyDocument;
      expect(
        Statement.map(({ Effect, Condition }: { Effect: string; Condition: object }) => [Effect, Condition]),
      ).toEqual([
        ['Deny', { Bool: { 'aws:SecureTransport': 'false' } }],
        ['Deny', { NumericLessThan: { 's3:TlsVersion': 1.2 } }],
      ]);
    }
    const encryption = (of: typeof template) =>
      onlyOf(of)('AWS::S3::Bucket').properties.BucketEncryption.ServerSideEncryptionConfiguration;
    expect(encryption(template)).toEqual([{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }]);
    expect(encryption(customized)).toEqual([
      {
        BucketKeyEnabled: true,
        ServerSideEncryptionByDefault: {
          SSEAlgorithm: 'aws:kms',
          KMSMasterKeyID: { 'Fn::GetAtt': [onlyOf(customized)('AWS::KMS::Key').id, 'Arn'] },
        },
      },
    ]);
  });

  it('expires exports and results, and is versioned only with exportVersioning', () => {
    const rules = (of: typeof template) =>
      onlyOf(of)('AWS::S3::Bucket').properties.LifecycleConfiguration.Rules;

    for (const [of, days] of [
      [template, 30],
      [customized, 90],
    ] as const) {
      expect(rules(of)).toEqual([
        expect.objectContaining({
          Prefix: 'exports/',
          ExpirationInDays: days,
          NoncurrentVersionExpiration: { NoncurrentDays: days },
        }),
        expect.objectContaining({ Prefix: 'results/', ExpirationInDays: 7 }),
        expect.objectContaining({ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } }),
      ]);
    }
    template.hasResourceProperties('AWS::S3::Bucket', { VersioningConfiguration: Match.absent() });
    customized.hasResourceProperties('AWS::S3::Bucket', { VersioningConfiguration: { Status: 'Enabled' } });
  });

  it('is retained when the stack is deleted, because CloudFormation cannot delete a bucket that is not empty', () => {
    template.hasResource('AWS::S3::Bucket', { DeletionPolicy: 'RetainExceptOnCreate' });
  });

  it('is an output of the stack', () => {
    expect(rendered(template.findOutputs('ExportBucketName')['ExportBucketName']?.['Value'])).toContain(
      bucket.Ref,
    );
  });
});

it('the stack has no resources for exports if they are disabled', () => {
  const without = templateOf({ exports: false });

  for (const type of [
    'AWS::S3::Bucket',
    'AWS::Scheduler::ScheduleGroup',
    'AWS::Glue::Database',
    'AWS::Glue::Table',
    'AWS::Athena::WorkGroup',
    'AWS::Athena::NamedQuery',
    'AWS::IAM::ManagedPolicy',
  ]) {
    without.resourceCountIs(type, 0);
  }
  expect(JSON.stringify(without.toJSON())).not.toMatch(/ExportMissing|ExportBucket|Analyst/);
});
