import { Match, type Template } from 'aws-cdk-lib/assertions';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { RECHECK_RETRY_MS } from '../../functions/registration/custom-resource.ts';
import { RETRY_MS } from '../../functions/registration/webhooks-api.ts';
import { REQUEST_TIMEOUT_MS } from '../../functions/voice-api/request.ts';
import { tableDefinition } from '../functions/recorder/table-definition.ts';
import { localSettings, onlyOf, templateOf } from './templates.ts';

const template = templateOf({ subAccountIds: ['some_account', 'another&account'] });
const only = onlyOf(template);

const deadLetterQueue = only('AWS::SQS::Queue', { RedrivePolicy: Match.absent() });
const queue = only('AWS::SQS::Queue', { RedrivePolicy: Match.anyValue() });
const table = only('AWS::DynamoDB::Table');
const key = only('AWS::KMS::Key');
const digests = only('Custom::AuthorizationDigests');
const webhook = only('AWS::Lambda::Function', {
  Environment: { Variables: { AUTHORIZATION_DIGESTS: Match.anyValue() } },
});
const recorder = only('AWS::Lambda::Function', {
  Description: 'Records sessions from the queue in the table',
});

const registration = only('AWS::Lambda::Function', {
  Environment: { Variables: { WEBHOOKS_API_URL: Match.anyValue() } },
});

/** The permissions of a function's role: the resources by action. */
function permissionsOf(lambda: { properties: { Role: { 'Fn::GetAtt': [string, string] } } }) {
  const role = lambda.properties.Role['Fn::GetAtt'][0];
  const policies = Object.values(
    template.findResources('AWS::IAM::Policy', { Properties: { Roles: [{ Ref: role }] } }),
  );
  const permissions: Record<string, unknown> = {};
  for (const { Properties } of policies) {
    for (const { Action, Effect, Resource } of Properties.PolicyDocument.Statement) {
      expect(Effect).toBe('Allow');
      for (const action of [Action].flat()) permissions[action] = Resource;
    }
  }
  return permissions;
}

/** The permissions of every function. X-Ray's actions do not support resources. */
const loggingAndTracing = {
  'logs:CreateLogStream': expect.anything(),
  'logs:PutLogEvents': expect.anything(),
  'xray:PutTraceSegments': '*',
  'xray:PutTelemetryRecords': '*',
};

const arn = ({ id }: { id: string }) => ({ 'Fn::GetAtt': [id, 'Arn'] });

describe('the queues', () => {
  it('allow twenty receives before a message is dead-lettered; an outage of twelve hours takes eighteen', () => {
    expect(queue.properties.RedrivePolicy).toEqual({
      deadLetterTargetArn: { 'Fn::GetAtt': [deadLetterQueue.id, 'Arn'] },
      maxReceiveCount: 20,
    });
  });

  it('have a visibility timeout of at least six times the recorder’s timeout plus the batching window', () => {
    const { MaximumBatchingWindowInSeconds } = only('AWS::Lambda::EventSourceMapping').properties;

    expect(queue.properties.VisibilityTimeout).toBeGreaterThanOrEqual(
      6 * recorder.properties.Timeout + MaximumBatchingWindowInSeconds,
    );
  });

  it('retain deliveries for 10 days and dead letters for 14 days, both from the time of the delivery', () => {
    expect(queue.properties.MessageRetentionPeriod).toBe(10 * 86_400);
    expect(deadLetterQueue.properties.MessageRetentionPeriod).toBe(14 * 86_400);
  });

  it('accept the largest body even if it is encoded as base64 of UTF-16', () => {
    for (const { properties } of [queue, deadLetterQueue]) {
      expect(properties.MaximumMessageSize).toBe(1_048_576);
    }
    expect((256 * 1024 * 2 * 4) / 3).toBeLessThan(1_048_576);
  });

  it('are encrypted, and reject unencrypted requests', () => {
    for (const { id, properties } of [queue, deadLetterQueue]) {
      expect(properties.SqsManagedSseEnabled).toBe(true);
      template.hasResourceProperties('AWS::SQS::QueuePolicy', {
        Queues: [{ Ref: id }],
        PolicyDocument: {
          Statement: Match.arrayWith([
            Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          ]),
        },
      });
    }
  });
});

describe('the table', () => {
  it('has one item per session, a sparse index of unsuccessful sessions, and point-in-time recovery', () => {
    expect(table.properties).toMatchObject({
      // The definition that the tests of the recorder use.
      ...tableDefinition,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    });
  });

  it('is retained when the stack is deleted', () => {
    template.hasResource('AWS::DynamoDB::Table', { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  });
});

describe('the functions', () => {
  it('run on Node 24 and arm64, each with a separate log group that has a retention', () => {
    const groups = Object.keys(template.findResources('AWS::Logs::LogGroup'));
    expect(groups).toHaveLength(Object.keys(template.findResources('AWS::Lambda::Function')).length);
    for (const { properties } of [webhook, recorder]) {
      expect(properties).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        Handler: 'index.handler',
      });
      expect(groups).toContain(properties.LoggingConfig.LogGroup.Ref);
    }
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 });
  });

  it('have exactly the environment variables that they need', () => {
    expect(webhook.properties.Environment.Variables).toEqual({
      QUEUE_URL: { Ref: queue.id },
      DEAD_LETTER_QUEUE_URL: { Ref: deadLetterQueue.id },
      AUTHORIZATION_DIGESTS: { 'Fn::GetAtt': [digests.id, 'digests'] },
      SUB_ACCOUNT_IDS: 'some_account,another&account',
      POWERTOOLS_SERVICE_NAME: 'stack',
    });
    expect(recorder.properties.Environment.Variables).toEqual({
      TABLE_NAME: { Ref: table.id },
      QUEUE_URL: { Ref: queue.id },
      DEAD_LETTER_QUEUE_URL: { Ref: deadLetterQueue.id },
      POWERTOOLS_SERVICE_NAME: 'stack',
    });
    expect(registration.properties.Environment.Variables).toEqual({
      WEBHOOKS_API_URL: 'https://voice.8x8.com',
      API_KEY_SECRET_NAME: localSettings.apiKeySecretName,
      SUB_ACCOUNT_IDS: 'some_account,another&account',
      POWERTOOLS_SERVICE_NAME: 'stack',
    });
  });

  it('have exactly the permissions that they need', () => {
    expect(permissionsOf(webhook)).toEqual({
      ...loggingAndTracing,
      'kms:Decrypt': arn(key),
      'kms:GenerateDataKey': arn(key),
      'sqs:SendMessage': expect.arrayContaining([arn(queue), arn(deadLetterQueue)]),
    });
    expect(permissionsOf(recorder)).toEqual({
      ...loggingAndTracing,
      'dynamodb:GetItem': arn(table),
      'dynamodb:PutItem': arn(table),
      'sqs:SendMessage': arn(deadLetterQueue),
      'sqs:ReceiveMessage': arn(queue),
      'sqs:ChangeMessageVisibility': arn(queue),
      'sqs:DeleteMessage': arn(queue),
      'sqs:GetQueueAttributes': arn(queue),
      'sqs:GetQueueUrl': arn(queue),
      'kms:Decrypt': arn(key),
      'kms:DescribeKey': arn(key),
      'kms:Encrypt': arn(key),
      'kms:GenerateDataKey': arn(key),
      'kms:ReEncryptFrom': arn(key),
      'kms:ReEncryptTo': arn(key),
    });
    const managed = Object.values(template.findResources('AWS::IAM::Role')).flatMap(
      ({ Properties }) => Properties.ManagedPolicyArns ?? [],
    );
    expect(managed).toEqual([]);
  });

  it('have time for their calls to AWS: one call of the webhook, three of the recorder for a conflict', () => {
    const longestCall = 9;
    expect(webhook.properties.Timeout).toBe(10);
    expect(webhook.properties.Timeout).toBeGreaterThan(longestCall);
    expect(recorder.properties.Timeout).toBeGreaterThan(3 * longestCall);
  });

  it('include a recorder that receives batches of ten and reports failures per message', () => {
    expect(only('AWS::Lambda::EventSourceMapping').properties).toMatchObject({
      EventSourceArn: arn(queue),
      FunctionName: { Ref: recorder.id },
      BatchSize: 10,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    });
  });
});

describe('the Authorization value', () => {
  const secretsOf = (stack: Template) => Object.keys(stack.findResources('AWS::SecretsManager::Secret'));
  const acceptedIn = (stack: Template) =>
    Object.values(stack.findResources('Custom::AuthorizationDigests')).flatMap(({ Properties }) =>
      Properties.secretArns.map(({ Ref }: { Ref: string }) => Ref),
    );
  const registeredIn = (stack: Template) =>
    Object.values(stack.findResources('Custom::WebhookRegistration')).map(
      ({ Properties }) => Properties.authorizationSecretArn.Ref,
    );

  it('is generated with 256 bits, and the webhook cannot read it', () => {
    for (const { Properties } of Object.values(template.findResources('AWS::SecretsManager::Secret'))) {
      const { PasswordLength, ExcludePunctuation } = Properties.GenerateSecretString;
      expect(ExcludePunctuation).toBe(true);
      expect(PasswordLength * Math.log2(62)).toBeGreaterThanOrEqual(256);
    }
    expect(Object.keys(permissionsOf(webhook)).join()).not.toContain('secretsmanager');
  });

  it('that 8x8 sends is accepted at every step of a rotation and of its rollback', () => {
    const [first, second, third] = [1, 2, 3].map((authorizationVersion) =>
      templateOf({ authorizationVersion }),
    );
    if (!first || !second || !third) throw new Error('three templates were made');
    const containsRegistered = (stack: Template) => expect.arrayContaining(registeredIn(stack));

    // The webhook is updated before the registration, so the new webhook must accept the value that 8x8 still sends.
    expect(acceptedIn(second)).toEqual(containsRegistered(first));
    expect(acceptedIn(third)).toEqual(containsRegistered(second));
    // A rollback also updates the webhook first.
    expect(acceptedIn(first)).toEqual(containsRegistered(second));
    expect(acceptedIn(second)).toEqual(containsRegistered(third));
    // A value is no longer accepted after two rotations.
    expect(acceptedIn(third)).not.toEqual(containsRegistered(first));
    expect(secretsOf(first)).toHaveLength(2);
    expect(secretsOf(third)).toHaveLength(3);
  });

  it('can be read only by the functions that compute its digest and that register it', () => {
    const readers = Object.values(template.findResources('AWS::IAM::Policy')).filter(({ Properties }) =>
      JSON.stringify(Properties).includes('"Ref":"AuthorizationVersion'),
    );

    expect(readers).toHaveLength(2);
    for (const reader of readers) {
      expect(JSON.stringify(reader)).toContain('"secretsmanager:GetSecretValue"');
    }
  });
});

describe('the registration at 8x8', () => {
  const registrations = Object.entries(template.findResources('Custom::WebhookRegistration'));
  const resources: Record<string, { Type: string; DependsOn?: string | string[] }> =
    template.toJSON()['Resources'];

  /** All direct and indirect dependencies of a resource. They are created before it and deleted after it. */
  function precedes(id: string, known = new Set<string>()): Set<string> {
    const resource = resources[id];
    if (!resource || known.has(id)) return known;
    known.add(id);
    const references = JSON.stringify(resource).matchAll(
      /"Ref":"(?<ref>\w+)"|"Fn::GetAtt":\["(?<attribute>\w+)"/g,
    );
    const names = [...references].map(({ groups }) => groups?.['ref'] ?? groups?.['attribute'] ?? '');
    for (const name of [...names, ...[resource.DependsOn ?? []].flat()]) precedes(name, known);
    return known;
  }

  it('is one resource per sub-account, with the URL, the current Authorization value and the settings', () => {
    expect(registrations.map(([, { Properties }]) => Properties)).toEqual(
      ['some_account', 'another&account'].map((subAccountId) => ({
        ServiceToken: expect.anything(),
        ServiceTimeout: '900',
        subAccountId,
        webhooksApiUrl: 'https://voice.8x8.com',
        url: expect.objectContaining({ 'Fn::Join': expect.anything() }),
        authorizationSecretArn: { Ref: expect.stringContaining('Version1') },
        takeOver: false,
        onDelete: 'remove',
      })),
    );
  });

  it('keeps its logical ids, because the clean-up after a change would delete the new registration', () => {
    expect(registrations.map(([id]) => id)).toEqual([
      'RegistrationSubAccountsomeaccountA8CE295B',
      'RegistrationSubAccountanotheraccountFEF6D1DB',
    ]);
  });

  it('is created after everything that receives deliveries, and deleted before it', () => {
    for (const [id] of registrations) {
      const before = precedes(id);
      const types = [...before].map((name) => resources[name]?.Type);
      for (const type of [
        'AWS::ApiGateway::Deployment',
        'AWS::ApiGateway::Stage',
        'AWS::ApiGateway::Method',
        'AWS::Lambda::Permission',
        'AWS::Lambda::EventSourceMapping',
        'AWS::DynamoDB::Table',
        'Custom::AuthorizationDigests',
      ]) {
        expect(types).toContain(type);
      }
      for (const { id: needed } of [webhook, recorder, queue, deadLetterQueue, registration])
        expect(before).toContain(needed);
      for (const lambda of [webhook, recorder, registration]) {
        const role = lambda.properties.Role['Fn::GetAtt'][0];
        const policies = Object.keys(
          template.findResources('AWS::IAM::Policy', { Properties: { Roles: [{ Ref: role }] } }),
        );
        expect(policies).not.toEqual([]);
        for (const policy of policies) expect(before).toContain(policy);
      }
    }
  });

  it('may read only the API key, the current Authorization value, and the status of its stack', () => {
    expect(permissionsOf(registration)).toEqual({
      ...loggingAndTracing,
      'secretsmanager:GetSecretValue': expect.arrayContaining([
        { Ref: expect.stringContaining('Version1') },
        {
          'Fn::Join': ['', expect.arrayContaining([`:secret:${localSettings.apiKeySecretName}-??????`])],
        },
      ]),
      'cloudformation:DescribeStacks': { Ref: 'AWS::StackId' },
      'kms:Decrypt': arn(key),
    });
  });

  it('has a timeout that covers all its retries, and CloudFormation waits even longer', () => {
    const readingSecrets = 2 * 20 * 3;
    // After RETRY_MS, the client no longer retries: each of at most 20 more calls takes ten seconds and a pause of two.
    const calls = (RETRY_MS + 20 * (REQUEST_TIMEOUT_MS + 2_000) + RECHECK_RETRY_MS) / 1_000;
    expect(registration.properties.Timeout).toBeGreaterThanOrEqual(readingSecrets + calls);
    expect(Number(registrations[0]?.[1]['Properties'].ServiceTimeout)).toBeGreaterThan(
      registration.properties.Timeout,
    );
  });

  it('is checked every hour, starting after its creation', () => {
    const { id, properties } = only('AWS::Scheduler::Schedule', {
      Description: 'Checks that the webhook is registered at 8x8',
    });

    expect(properties).toMatchObject({
      ScheduleExpression: 'rate(60 minutes)',
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: {
        Arn: arn(registration),
        RetryPolicy: { MaximumRetryAttempts: 2, MaximumEventAgeInSeconds: 300 },
      },
    });
    expect(JSON.stringify(properties.Target.Input)).toContain(
      '\\"subAccountIds\\":[\\"some_account\\",\\"another&account\\"]',
    );
    for (const [registrationId] of registrations) expect(precedes(id)).toContain(registrationId);
    const often = templateOf({ registrationCheckMinutes: 5 });
    often.hasResourceProperties('AWS::Scheduler::Schedule', { ScheduleExpression: 'rate(5 minutes)' });
  });

  it('precedes everything that starts by itself, so that a first deployment that fails leaves the bucket empty', () => {
    const starting = templateOf({ sessionEvents: true });
    const webhooks = Object.keys(starting.findResources('Custom::WebhookRegistration'));
    const started = ['AWS::Scheduler::Schedule', 'AWS::Pipes::Pipe'].flatMap((type) =>
      Object.values(starting.findResources(type)),
    );

    expect([webhooks.length, started.length]).toEqual([2, 4]);
    for (const { DependsOn } of started) expect(DependsOn).toEqual(expect.arrayContaining(webhooks));
  });

  it('is checked by a schedule that may only invoke the registration function', () => {
    const { properties } = only('AWS::IAM::Role', {
      AssumeRolePolicyDocument: {
        Statement: [Match.objectLike({ Principal: { Service: 'scheduler.amazonaws.com' } })],
      },
      Policies: [
        Match.objectLike({
          PolicyName: 'Invoke',
          PolicyDocument: Match.objectLike({
            Statement: [Match.objectLike({ Resource: arn(registration) })],
          }),
        }),
      ],
    });

    expect(properties.AssumeRolePolicyDocument.Statement).toMatchObject([
      { Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } } },
    ]);
    expect(properties.Policies).toMatchObject([
      {
        PolicyDocument: {
          Statement: [{ Action: 'lambda:InvokeFunction', Effect: 'Allow', Resource: arn(registration) }],
        },
      },
    ]);
  });
});

describe('a stage that must not be deployed', () => {
  const assertions = (stageName: string, settings: object) =>
    Object.values(templateOf(settings, stageName).toJSON()['Rules'] ?? {}).flatMap(
      (rule) => v.parse(v.object({ Assertions: v.array(v.unknown()) }), rule).Assertions,
    );
  const refusal = (AssertDescription: unknown) => ({
    Assert: { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'none'] },
    AssertDescription,
  });

  it('is rejected by CloudFormation, if it is local or contains a placeholder', () => {
    expect(assertions('local', {})).toContainEqual(refusal(expect.stringContaining('-c stage=NAME')));
    expect(assertions('prod', { subAccountIds: ['your_subaccount'] })).toContainEqual(
      refusal(
        expect.stringContaining('subAccountIds of the stage prod in cdk.json is still the placeholder'),
      ),
    );
    expect(assertions('prod', {})).not.toContainEqual(refusal(expect.anything()));
  });
});
