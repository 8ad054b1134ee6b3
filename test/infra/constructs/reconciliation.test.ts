import { Match, type Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { localSettings, onlyOf, templateOf } from '../templates.ts';

const template = templateOf();
const customized = templateOf({
  customerManagedKey: true,
  logExportUrl: 'https://logs.example/',
  reconciliation: 'report',
  subAccountIds: ['some_account', 'another&account'],
});
const off = templateOf({ reconciliation: 'off' });

const functionIn = (of: Template) =>
  onlyOf(of)('AWS::Lambda::Function', { Description: Match.stringLikeRegexp("^Compares 8x8's log export") });

const arnOf = (of: Template, type: string, properties?: object) => ({
  'Fn::GetAtt': [onlyOf(of)(type, properties).id, 'Arn'],
});
const queueArn = (of: Template) => arnOf(of, 'AWS::SQS::Queue', { RedrivePolicy: Match.anyValue() });
const deadLetterQueueArn = (of: Template) => arnOf(of, 'AWS::SQS::Queue', { RedrivePolicy: Match.absent() });

describe('the function that reconciles', () => {
  const { id, properties } = functionIn(template);
  const variables = (of: Template) => functionIn(of).properties.Environment.Variables;

  it('has the time, memory and space for the export of a day with millions of calls', () => {
    expect(properties).toMatchObject({
      Timeout: 900,
      MemorySize: 2_048,
      EphemeralStorage: { Size: 10_240 },
    });
  });

  it('runs every hour', () => {
    template.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'rate(60 minutes)',
      Target: Match.objectLike({ Arn: { 'Fn::GetAtt': [id, 'Arn'] }, Input: '{}' }),
    });
  });

  it('has exactly the environment variables that it needs', () => {
    const queue = (redrive: object) => ({
      Ref: onlyOf(template)('AWS::SQS::Queue', { RedrivePolicy: redrive }).id,
    });

    expect(variables(template)).toEqual({
      LOG_EXPORT_URL: 'https://voice.wavecell.com',
      API_KEY_SECRET_NAME: localSettings.apiKeySecretName,
      SUB_ACCOUNT_IDS: localSettings.subAccountIds.join(','),
      TABLE_NAME: { Ref: onlyOf(template)('AWS::DynamoDB::Table').id },
      BUCKET_NAME: { Ref: onlyOf(template)('AWS::S3::Bucket').id },
      QUEUE_URL: queue(Match.anyValue()),
      DEAD_LETTER_QUEUE_URL: queue(Match.absent()),
      MODE: 'record',
      POWERTOOLS_SERVICE_NAME: 'stack',
    });
    expect(variables(customized)).toMatchObject({
      LOG_EXPORT_URL: 'https://logs.example',
      SUB_ACCOUNT_IDS: 'some_account,another&account',
      MODE: 'report',
    });
  });

  it.each([
    ['by default', template],
    ['with customerManagedKey, and without permission to write to the table', customized],
  ])('has exactly the permissions that it needs, %s', (_, of) => {
    const role = functionIn(of).properties.Role['Fn::GetAtt'][0];
    const bucketArn = arnOf(of, 'AWS::S3::Bucket');
    const statements = Object.values(of.findResources('AWS::IAM::Policy'))
      .filter(({ Properties }) => Properties.Roles[0].Ref === role)
      .flatMap(({ Properties }) => Properties.PolicyDocument.Statement)
      .filter(({ Action }) => !String(Action).includes('logs:'));
    const objects = (prefix: string) => ({ 'Fn::Join': ['', [bucketArn, `/${prefix}/*`]] });

    expect(statements).toEqual([
      {
        Effect: 'Allow',
        Action: ['cloudwatch:GetMetricData', 'xray:PutTelemetryRecords', 'xray:PutTraceSegments'],
        Resource: '*',
      },
      {
        Effect: 'Allow',
        Action: 'secretsmanager:GetSecretValue',
        Resource: {
          'Fn::Join': ['', expect.arrayContaining([`:secret:${localSettings.apiKeySecretName}-??????`])],
        },
      },
      { Effect: 'Allow', Action: 'dynamodb:BatchGetItem', Resource: arnOf(of, 'AWS::DynamoDB::Table') },
      { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: queueArn(of) },
      {
        Effect: 'Allow',
        Action: ['sqs:ChangeMessageVisibility', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'],
        Resource: deadLetterQueueArn(of),
      },
      {
        Effect: 'Allow',
        Action: ['s3:GetObject', 's3:PutObject'],
        Resource: [objects('charges'), objects('reconciliation')],
      },
      {
        Effect: 'Allow',
        Action: 's3:ListBucket',
        Resource: bucketArn,
        Condition: { StringLike: { 's3:prefix': ['charges/*', 'reconciliation/*'] } },
      },
      {
        Effect: 'Allow',
        Action: ['kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKey'],
        Resource: arnOf(of, 'AWS::KMS::Key'),
      },
    ]);
  });

  it('is an output of the stack', () => {
    expect(template.findOutputs('ReconciliationFunctionName')).toMatchObject({
      ReconciliationFunctionName: { Value: { Ref: id } },
    });
  });
});

describe('a stage without reconciliation', () => {
  it('has nothing of it, apart from the rules by which the rows that were kept expire', () => {
    const { LifecycleConfiguration, ...bucket } = onlyOf(off)('AWS::S3::Bucket').properties;
    const resources = Object.entries(off.toJSON()['Resources']).filter(
      ([id]) => id !== onlyOf(off)('AWS::S3::Bucket').id,
    );

    expect(JSON.stringify([resources, bucket, off.findOutputs('*')])).not.toMatch(
      /reconcil|charges|wavecell\.com|MissedSessions|DifferingSessions|RefusedRows/i,
    );
    expect(JSON.stringify(LifecycleConfiguration)).toContain('charges/');
  });

  it('has every other resource, unchanged except the dashboard and the policy of analysts', () => {
    const resourcesOf = (of: Template) => Object.entries<{ Type: string }>(of.toJSON()['Resources']);
    const on = new Map(resourcesOf(template));
    const changed = ['AWS::CloudWatch::Dashboard', 'AWS::IAM::ManagedPolicy'];
    const without = resourcesOf(off).filter(([, { Type }]) => !changed.includes(Type));

    for (const [id, resource] of without) expect([id, on.get(id)]).toEqual([id, resource]);
    expect(without.length).toBeGreaterThan(90);
  });
});
