import { Validations } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import type { IConstruct } from 'constructs';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { onlyOf, stackOf, templateOf } from './templates.ts';

/** The requirements of a platform team for any stack, with default and with customized settings. */

const BOUNDARY = 'arn:aws:iam::123456789012:policy/boundary';
const template = templateOf();
const customized = templateOf({
  customerManagedKey: true,
  retentionDays: 90,
  retainData: false,
  recorderConcurrency: 3,
  webhookConcurrency: 40,
  logRetentionDays: 7,
  tracedFraction: 0.5,
  permissionsBoundaryArn: BOUNDARY,
  tags: { team: 'voice' },
  sessionEvents: true,
});

const propertiesOf = (each: typeof template, type: string) =>
  Object.values(each.findResources(type)).map(({ Properties }) => Properties);

describe('the IAM policies and roles', () => {
  const Statement = v.object({
    Effect: v.string(),
    Action: v.union([v.string(), v.array(v.string())]),
    Resource: v.unknown(),
  });

  const UNSCOPED = new Set([
    'athena:ListDataCatalogs',
    'athena:ListEngineVersions',
    'athena:ListWorkGroups',
    'cloudwatch:GetMetricData',
    'dynamodb:ListExports',
  ]);

  it.each([
    ['by default', template],
    ['with customized settings', customized],
  ])('have no wildcard in actions, and none in resources that can be named (%s)', (_, each) => {
    const documents = [
      ...['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'].flatMap((type) =>
        propertiesOf(each, type).map(({ PolicyDocument }) => PolicyDocument),
      ),
      ...propertiesOf(each, 'AWS::IAM::Role').flatMap(({ Policies = [] }) =>
        Policies.map(({ PolicyDocument }: { PolicyDocument: unknown }) => PolicyDocument),
      ),
    ];
    const statements = documents.flatMap(({ Statement: all }) => v.parse(v.array(Statement), all));

    expect(statements.length).toBeGreaterThan(10);
    for (const { Effect, Action, Resource } of statements) {
      const actions = [Action].flat();
      expect(Effect).toBe('Allow');
      for (const action of actions) expect(action).not.toContain('*');
      // The writers choose the object keys in S3, so only prefixes can be named.
      const wildcards = [Resource]
        .flat()
        .filter(
          (each) =>
            JSON.stringify(each).includes('*') &&
            !/"\/(charges|exports?|reconciliation|results)\/\*"/.test(JSON.stringify(each)),
        );
      // X-Ray's actions and GetMetricData do not support resources, and list actions not everywhere. CDK's provider framework may invoke
      // any version of our function.
      const isProvider = actions.join() === 'lambda:InvokeFunction';
      const isUnscoped = actions.every((action) => action.startsWith('xray:') || UNSCOPED.has(action));
      if (!isProvider && !isUnscoped) expect(wildcards).toEqual([]);
    }
  });

  it('use no managed policy of AWS, and every role has the permissions boundary of the settings', () => {
    for (const role of propertiesOf(customized, 'AWS::IAM::Role')) {
      expect(role.ManagedPolicyArns ?? []).toEqual([]);
      expect(role.PermissionsBoundary).toBe(BOUNDARY);
    }
    for (const role of propertiesOf(template, 'AWS::IAM::Role'))
      expect(role.PermissionsBoundary).toBeUndefined();
  });
});

describe('the acknowledged findings of cdk-nag', () => {
  /** Every acknowledgement: the rule with its construct, and the reason. */
  function acknowledged({ node }: IConstruct): [rule: string, reason: string][] {
    const own = node.metadata
      .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
      .flatMap(({ data }) => Object.entries(v.parse(v.record(v.string(), v.string()), data)));
    const found = own.map(([id, reason]): [string, string] => {
      const rule = id.replace(/^\w+::\w+-/, '').replace(/\[Resource::(?<resource>\*?).*/, ' $<resource>');
      return [`${rule.trim()} ${node.path.replace('stack/', '')}`, reason];
    });
    return [...found, ...node.children.flatMap(acknowledged)];
  }

  it('are exactly these, each with a reason and on its construct', () => {
    const all = acknowledged(stackOf({ sessionEvents: true }));

    for (const [, reason] of all) expect(reason.length).toBeGreaterThan(40);
    expect(all.map(([rule]) => rule).toSorted()).toMatchInlineSnapshot(`
      [
        "APIG1 Edge/Api/DeploymentStage.test",
        "APIG2 Edge/Api",
        "APIG3 Edge/Api/DeploymentStage.test",
        "APIG4 Edge/Api/Default/voice/webhooks/vss/POST",
        "APIG6 Edge/Api/DeploymentStage.test",
        "APIGWAccessLogging Edge/Api/DeploymentStage.test",
        "COG4 Edge/Api/Default/voice/webhooks/vss/POST",
        "IAM5 * Athena/AnalystPolicy",
        "IAM5 * Authorization/FunctionRole",
        "IAM5 * Exports/FunctionRole",
        "IAM5 * Exports/FunctionRole",
        "IAM5 * Reconciliation/FunctionRole",
        "IAM5 * Reconciliation/FunctionRole",
        "IAM5 * Recorder/FunctionRole",
        "IAM5 * Registration/FunctionRole",
        "IAM5 * Webhook/FunctionRole",
        "IAM5 Athena/AnalystPolicy",
        "IAM5 Athena/AnalystPolicy",
        "IAM5 Athena/AnalystPolicy",
        "IAM5 Authorization/ProviderRole",
        "IAM5 Exports/FunctionRole",
        "IAM5 Exports/FunctionRole",
        "IAM5 Reconciliation/FunctionRole",
        "IAM5 Reconciliation/FunctionRole",
        "IAM5 Registration/ProviderRole",
        "LambdaDLQ Authorization/Function",
        "LambdaDLQ Authorization/Provider",
        "LambdaDLQ Exports/Function",
        "LambdaDLQ Reconciliation/Function",
        "LambdaDLQ Recorder/Function",
        "LambdaDLQ Registration/Function",
        "LambdaDLQ Registration/Provider",
        "LambdaDLQ Webhook/Function",
        "LambdaDefaultMemorySize Authorization/Provider",
        "LambdaDefaultMemorySize Registration/Provider",
        "LambdaEventSourceMappingDestination Recorder/Function",
        "LambdaTracing Authorization/Provider",
        "LambdaTracing Recorder/Function",
        "LambdaTracing Registration/Provider",
        "S1 Exports/Bucket",
        "SMG4 Authorization/Version1",
        "SMG4 Authorization/Version2",
        "SQS3 SessionEvents/DeadLetterQueue",
        "SQSRedrivePolicy Queues/DeadLetterQueue",
        "SQSRedrivePolicy SessionEvents/DeadLetterQueue",
      ]
    `);
  });
});

describe('data', () => {
  it('is encrypted with keys of AWS or with the key of the stack', () => {
    const key = { 'Fn::GetAtt': [onlyOf(customized)('AWS::KMS::Key').id, 'Arn'] };

    for (const queue of propertiesOf(template, 'AWS::SQS::Queue'))
      expect(queue.SqsManagedSseEnabled).toBe(true);
    // Without this property, DynamoDB encrypts the table with a key that AWS owns.
    template.hasResourceProperties('AWS::DynamoDB::Table', { SSESpecification: Match.absent() });
    // The exception is the queue for what the event bus cannot encrypt with that key.
    const queues = propertiesOf(customized, 'AWS::SQS::Queue');
    expect(queues.filter(({ SqsManagedSseEnabled }) => SqsManagedSseEnabled)).toHaveLength(1);
    for (const { SqsManagedSseEnabled, KmsMasterKeyId } of queues)
      if (!SqsManagedSseEnabled) expect(KmsMasterKeyId).toEqual(key);
    for (const secret of propertiesOf(customized, 'AWS::SecretsManager::Secret'))
      expect(secret.KmsKeyId).toEqual(key);
    for (const logs of propertiesOf(customized, 'AWS::Logs::LogGroup')) expect(logs.KmsKeyId).toEqual(key);
    customized.hasResourceProperties('AWS::DynamoDB::Table', {
      SSESpecification: { KMSMasterKeyId: key, SSEType: 'KMS' },
    });
  });

  it.each([
    ['on', customized],
    ['off, because existing data remains encrypted', template],
  ])(
    'is accessible with the key of the stack only to the roles that need it, with customerManagedKey %s',
    (_, each) => {
      const users = propertiesOf(each, 'AWS::IAM::Policy').flatMap(({ PolicyDocument, PolicyName }) =>
        PolicyDocument.Statement.filter(({ Action }: { Action: unknown }) =>
          JSON.stringify(Action).includes('kms:'),
        ).map(({ Action }: { Action: string | string[] }) => [
          PolicyName.replace(/RoleDefault.*/, ''),
          [Action].flat(),
        ]),
      );

      expect(Object.fromEntries(users)).toEqual({
        AuthorizationFunction: ['kms:Decrypt'],
        WebhookFunction: ['kms:Decrypt', 'kms:GenerateDataKey'],
        RecorderFunction: expect.arrayContaining(['kms:Decrypt', 'kms:GenerateDataKey', 'kms:Encrypt']),
        RegistrationFunction: ['kms:Decrypt'],
        ExportsFunction: ['kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKey'],
        ReconciliationFunction: ['kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKey'],
      });
    },
  );

  it('lets CloudWatch Logs encrypt the log groups of the stack with its key', () => {
    const { Statement } = onlyOf(customized)('AWS::KMS::Key').properties.KeyPolicy;

    expect(Statement).toContainEqual({
      Effect: 'Allow',
      Principal: { Service: { 'Fn::Join': ['', ['logs.', { Ref: 'AWS::Region' }, '.amazonaws.com']] } },
      Action: ['kms:Decrypt*', 'kms:Describe*', 'kms:Encrypt*', 'kms:GenerateDataKey*', 'kms:ReEncrypt*'],
      Resource: '*',
      Condition: {
        ArnLike: {
          'kms:EncryptionContext:aws:logs:arn': {
            'Fn::Join': ['', expect.arrayContaining([':log-group:stack-*'])],
          },
        },
      },
    });
  });

  it('is retained and protected from deletion, unless retainData is false', () => {
    template.hasResource('AWS::DynamoDB::Table', {
      DeletionPolicy: 'Retain',
      Properties: Match.objectLike({ DeletionProtectionEnabled: true }),
    });
    // The key may have encrypted retained data: the table, its backups, and exports, whose bucket is always retained.
    for (const each of [template, customized])
      each.hasResource('AWS::KMS::Key', { DeletionPolicy: 'RetainExceptOnCreate' });
    templateOf({ retainData: false }).hasResource('AWS::KMS::Key', { DeletionPolicy: 'Delete' });
    customized.hasResource('AWS::DynamoDB::Table', {
      DeletionPolicy: 'Delete',
      Properties: Match.objectLike({ DeletionProtectionEnabled: false }),
    });
  });

  it('expires at expiresAt, which the recorder sets if retentionDays is set', () => {
    const recorder = { Description: 'Records sessions from the queue in the table' };
    const variables = (each: typeof template) =>
      onlyOf(each)('AWS::Lambda::Function', recorder).properties.Environment.Variables;

    for (const each of [template, customized]) {
      each.hasResourceProperties('AWS::DynamoDB::Table', {
        TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
      });
    }
    expect(variables(template).RETENTION_DAYS).toBeUndefined();
    expect(variables(customized).RETENTION_DAYS).toBe('90');
  });
});

describe('limits, logs, traces and tags', () => {
  it('follow the settings', () => {
    for (const [each, concurrency, days, fraction] of [
      [template, 10, 30, 0.005],
      [customized, 3, 7, 0.5],
    ] as const) {
      each.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
        ScalingConfig: { MaximumConcurrency: concurrency },
      });
      for (const logs of propertiesOf(each, 'AWS::Logs::LogGroup')) expect(logs.RetentionInDays).toBe(days);
      each.hasResourceProperties('AWS::XRay::SamplingRule', {
        SamplingRule: {
          FixedRate: fraction,
          ReservoirSize: 0,
          ServiceName: 'stack/test',
          ServiceType: 'AWS::ApiGateway::Stage',
        },
      });
    }
    expect(propertiesOf(customized, 'AWS::SQS::Queue')[0].Tags).toContainEqual({
      Key: 'team',
      Value: 'voice',
    });
    // The schema of dashboards has no tags in some regions.
    customized.hasResourceProperties('AWS::CloudWatch::Dashboard', { Tags: Match.absent() });
  });

  it('include reserved concurrency of the webhook only if webhookConcurrency is set', () => {
    const reserved = (each: typeof template) =>
      propertiesOf(each, 'AWS::Lambda::Function').flatMap(
        ({ ReservedConcurrentExecutions = [] }) => ReservedConcurrentExecutions,
      );

    expect(reserved(template)).toEqual([]);
    expect(reserved(customized)).toEqual([40]);
  });

  it('include active tracing of the API and the functions, except the recorder, which passes traces through', () => {
    template.hasResourceProperties('AWS::ApiGateway::Stage', { TracingEnabled: true });
    const ours = propertiesOf(template, 'AWS::Lambda::Function').filter(
      ({ Handler }) => Handler === 'index.handler',
    );
    expect(ours).toHaveLength(6);
    for (const { Description, TracingConfig } of ours) {
      const isRecorder = Description.startsWith('Records');
      expect(TracingConfig).toEqual({ Mode: isRecorder ? 'PassThrough' : 'Active' });
    }
  });
});
