import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { onlyOf, templateOf } from '../templates.ts';

const template = templateOf();
const customized = templateOf({
  customerManagedKey: true,
  exportHour: 14,
  fullExportDays: 1,
  exportRetentionDays: 90,
  exportVersioning: true,
});
const only = onlyOf(template);
const bucket = { Ref: only('AWS::S3::Bucket').id };
const tableArn = { 'Fn::GetAtt': [only('AWS::DynamoDB::Table').id, 'Arn'] };

/** Renders a string or an Fn::Join as text, with the references as JSON. */
function rendered(value: unknown): string {
  if (typeof value === 'string') return value;
  return JSON.stringify(value, (_, inner) =>
    inner?.['Fn::Join'] ? inner['Fn::Join'][1].map(rendered).join('') : inner,
  ).slice(1, -1);
}

describe('the function that exports', () => {
  const functionIn = (each: typeof template) =>
    onlyOf(each)('AWS::Lambda::Function', {
      Description: 'Starts the exports of the session records, and measures their age',
    });
  const { id, properties } = functionIn(template);

  it('runs every hour, for this table and this bucket', () => {
    expect(properties.Environment.Variables).toMatchObject({
      TABLE_ARN: tableArn,
      BUCKET_NAME: bucket,
      EXPORTS_PREFIX: 'exports/',
      EXPORT_HOUR: '2',
      FULL_EXPORT_DAYS: '7',
    });
    expect(properties.Environment.Variables).not.toHaveProperty('KEY_ARN');
    expect(functionIn(customized).properties.Environment.Variables).toMatchObject({
      EXPORT_HOUR: '14',
      FULL_EXPORT_DAYS: '1',
      KEY_ARN: { 'Fn::GetAtt': [onlyOf(customized)('AWS::KMS::Key').id, 'Arn'] },
    });
    template.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'rate(60 minutes)',
      Target: Match.objectLike({ Arn: { 'Fn::GetAtt': [id, 'Arn'] } }),
    });
  });

  it.each([
    ['by default', template],
    ['with customerManagedKey', customized],
  ])('may only export this table to this prefix, and describe its exports, %s', (_, each) => {
    const table = { 'Fn::GetAtt': [onlyOf(each)('AWS::DynamoDB::Table').id, 'Arn'] };
    const objects = [{ 'Fn::GetAtt': [onlyOf(each)('AWS::S3::Bucket').id, 'Arn'] }, '/exports/*'];
    const role = functionIn(each).properties.Role['Fn::GetAtt'][0];
    const statements = Object.values(each.findResources('AWS::IAM::Policy'))
      .filter(({ Properties }) => Properties.Roles[0].Ref === role)
      .flatMap(({ Properties }) => Properties.PolicyDocument.Statement)
      .filter(({ Action }) => !String(Action).includes('logs:'));
    const tracing = ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'];

    expect(statements).toEqual([
      { Effect: 'Allow', Action: ['dynamodb:ListExports', ...tracing], Resource: '*' },
      {
        Effect: 'Allow',
        Action: ['dynamodb:DescribeTable', 'dynamodb:ExportTableToPointInTime'],
        Resource: table,
      },
      {
        Effect: 'Allow',
        Action: 'dynamodb:DescribeExport',
        Resource: { 'Fn::Join': ['', [table, '/export/*']] },
      },
      {
        Effect: 'Allow',
        Action: ['s3:AbortMultipartUpload', 's3:PutObject', 's3:PutObjectAcl'],
        Resource: { 'Fn::Join': ['', objects] },
      },
      {
        Effect: 'Allow',
        Action: ['kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKey'],
        Resource: { 'Fn::GetAtt': [onlyOf(each)('AWS::KMS::Key').id, 'Arn'] },
      },
    ]);
  });

  it('exports a table with point-in-time recovery, which exports require', () => {
    template.hasResourceProperties('AWS::DynamoDB::Table', {
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    });
  });

  it('does not exist if exports are disabled', () => {
    const without = templateOf({ exports: false });

    without.resourceCountIs('AWS::Scheduler::Schedule', 2);
    for (const { Properties } of Object.values(without.findResources('AWS::CloudWatch::Alarm')))
      expect(Properties.AlarmName).not.toMatch(/-Exports?(Missing|Refused|Errors)$/);
  });
});

describe('the bucket of exports', () => {
  it('is private and encrypted, and requires TLS 1.2 or later', () => {
    for (const each of [template, customized]) {
      each.hasResourceProperties('AWS::S3::Bucket', {
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      });
      const { Statement } = onlyOf(each)('AWS::S3::BucketPolicy').properties.PolicyDocument;
      expect(
        Statement.map(({ Effect, Condition }: { Effect: string; Condition: object }) => [Effect, Condition]),
      ).toEqual([
        ['Deny', { Bool: { 'aws:SecureTransport': 'false' } }],
        ['Deny', { NumericLessThan: { 's3:TlsVersion': 1.2 } }],
      ]);
    }
    const encryption = (each: typeof template) =>
      onlyOf(each)('AWS::S3::Bucket').properties.BucketEncryption.ServerSideEncryptionConfiguration;
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

  it('expires exports, results and rows of the log export, but no state, and is versioned only with exportVersioning', () => {
    const rules = (each: typeof template) =>
      onlyOf(each)('AWS::S3::Bucket').properties.LifecycleConfiguration.Rules;

    for (const [each, days] of [
      [template, 30],
      [customized, 90],
    ] as const) {
      expect(rules(each)).toEqual([
        expect.objectContaining({
          Prefix: 'exports/',
          ExpirationInDays: days,
          NoncurrentVersionExpiration: { NoncurrentDays: days },
        }),
        expect.objectContaining({ Prefix: 'results/', ExpirationInDays: 7 }),
        expect.objectContaining({
          Prefix: 'charges/',
          ExpirationInDays: days,
          NoncurrentVersionExpiration: { NoncurrentDays: days },
        }),
        expect.objectContaining({
          Prefix: 'reconciliation/results/',
          ExpirationInDays: days,
          NoncurrentVersionExpiration: { NoncurrentDays: days },
        }),
        {
          Id: 'reconciliation-state',
          Prefix: 'reconciliation/state/',
          NoncurrentVersionExpiration: { NoncurrentDays: days },
          Status: 'Enabled',
        },
        expect.objectContaining({ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } }),
      ]);
    }
    template.hasResourceProperties('AWS::S3::Bucket', { VersioningConfiguration: Match.absent() });
    customized.hasResourceProperties('AWS::S3::Bucket', { VersioningConfiguration: { Status: 'Enabled' } });
  });

  it('is retained when the stack is deleted, because CloudFormation cannot delete a bucket that is not empty', () => {
    template.hasResource('AWS::S3::Bucket', { DeletionPolicy: 'RetainExceptOnCreate' });
  });

  it('is an output of the stack, which says what it contains', () => {
    const output = (settings: object) =>
      templateOf(settings).findOutputs('ExportBucketName')['ExportBucketName'];

    expect(rendered(output({})?.['Value'])).toContain(bucket.Ref);
    expect(output({})?.['Description']).toBe(
      "Exports of the table, under exports/. Rows of 8x8's log export, under charges/",
    );
    expect(output({ reconciliation: 'off' })?.['Description']).toBe('Exports of the table, under exports/');
    expect(output({ exports: false })?.['Description']).toBe("Rows of 8x8's log export, under charges/");
  });

  it.each([{ exports: false }, { reconciliation: 'off' }, { reconciliation: 'report' }])(
    'is the same one, with the same rules, with %j',
    (settings) => {
      expect(onlyOf(templateOf(settings))('AWS::S3::Bucket')).toEqual(only('AWS::S3::Bucket'));
    },
  );
});

it('the stack has only the bucket for reconciliation if exports are disabled', () => {
  const without = templateOf({ exports: false });

  for (const type of ANALYSTS) without.resourceCountIs(type, 0);
  without.resourceCountIs('AWS::S3::Bucket', 1);
  expect(JSON.stringify(without.toJSON())).not.toMatch(/ExportMissing|Analyst/);
});

it('the stack has no bucket if exports and reconciliation are disabled', () => {
  const without = templateOf({ exports: false, reconciliation: 'off' });

  for (const type of ['AWS::S3::Bucket', ...ANALYSTS]) without.resourceCountIs(type, 0);
  expect(JSON.stringify(without.toJSON())).not.toMatch(/ExportMissing|ExportBucket|Analyst/);
});

/** The types of the resources with which analysts query. */
const ANALYSTS = [
  'AWS::Glue::Database',
  'AWS::Glue::Table',
  'AWS::Athena::WorkGroup',
  'AWS::Athena::NamedQuery',
  'AWS::IAM::ManagedPolicy',
];
