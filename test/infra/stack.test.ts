import { Match, type Template } from 'aws-cdk-lib/assertions';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { RECHECK_RETRY_MS } from '../../functions/registration/custom-resource.ts';
import { REQUEST_TIMEOUT_MS } from '../../functions/registration/request.ts';
import { RETRY_MS } from '../../functions/registration/webhooks-api.ts';
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
  Environment: { Variables: { TABLE_NAME: Match.anyValue() } },
});

const registration = only('AWS::Lambda::Function', {
  Environment: { Variables: { API_KEY_SECRET_NAME: Match.anyValue() } },
});

/** What the role of a function may do: action → resources. */
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

/** What every function may do. X-Ray's actions take no resource. */
const loggingAndTracing = {
  'logs:CreateLogStream': expect.anything(),
  'logs:PutLogEvents': expect.anything(),
  'xray:PutTraceSegments': '*',
  'xray:PutTelemetryRecords': '*',
};

const arn = ({ id }: { id: string }) => ({ 'Fn::GetAtt': [id, 'Arn'] });

describe('the queues', () => {
  it('let a message be received twenty times before it is a dead letter: an outage of twelve hours takes eighteen', () => {
    expect(queue.properties.RedrivePolicy).toEqual({
      deadLetterTargetArn: { 'Fn::GetAtt': [deadLetterQueue.id, 'Arn'] },
      maxReceiveCount: 20,
    });
  });

  it('hide a batch for six times the recorder’s timeout and the batching window', () => {
    const { MaximumBatchingWindowInSeconds } = only('AWS::Lambda::EventSourceMapping').properties;

    expect(queue.properties.VisibilityTimeout).toBeGreaterThanOrEqual(
      6 * recorder.properties.Timeout + MaximumBatchingWindowInSeconds,
    );
  });

  it('keep deliveries for 10 days, and dead letters for 14, which SQS counts from the delivery', () => {
    expect(queue.properties.MessageRetentionPeriod).toBe(10 * 86_400);
    expect(deadLetterQueue.properties.MessageRetentionPeriod).toBe(14 * 86_400);
  });

  it('take the largest body even when it has to be encoded, in base64 of UTF-16', () => {
    for (const { properties } of [queue, deadLetterQueue]) {
      expect(properties.MaximumMessageSize).toBe(1_048_576);
    }
    expect((256 * 1024 * 2 * 4) / 3).toBeLessThan(1_048_576);
  });

  it('are encrypted, and refuse requests that are not', () => {
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
  it('has one item per session, and a sparse index of unsuccessful ones by end', () => {
    expect(table.properties).toMatchObject({
      // What the recorder is tested with.
      ...tableDefinition,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    });
  });

  it('outlives the stack', () => {
    template.hasResource('AWS::DynamoDB::Table', { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  });
});

describe('the functions', () => {
  it('run on Node 24, arm64, each with a log group of its own that forgets', () => {
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

  it('know of each other exactly what they need', () => {
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

  it('may do exactly what they do', () => {
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

  it('finish their calls to AWS before they time out: one of the webhook, three of the recorder for a conflict', () => {
    const longestCall = 9;
    expect(webhook.properties.Timeout).toBe(10);
    expect(webhook.properties.Timeout).toBeGreaterThan(longestCall);
    expect(recorder.properties.Timeout).toBeGreaterThan(3 * longestCall);
  });

  it('are fed batches whose messages succeed and fail one by one', () => {
    expect(only('AWS::Lambda::EventSourceMapping').properties).toMatchObject({
      EventSourceArn: arn(queue),
      FunctionName: { Ref: recorder.id },
      BatchSize: 10,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    });
  });
});

describe('the authorization', () => {
  const secretsOf = (of: Template) => Object.keys(of.findResources('AWS::SecretsManager::Secret'));
  const acceptedIn = (of: Template) =>
    Object.values(of.findResources('Custom::AuthorizationDigests')).flatMap(({ Properties }) =>
      Properties.secretArns.map(({ Ref }: { Ref: string }) => Ref),
    );
  const registeredIn = (of: Template) =>
    Object.values(of.findResources('Custom::WebhookRegistration')).map(
      ({ Properties }) => Properties.authorizationSecretArn.Ref,
    );

  it('is a generated value of 256 bits that the webhook cannot read', () => {
    for (const { Properties } of Object.values(template.findResources('AWS::SecretsManager::Secret'))) {
      const { PasswordLength, ExcludePunctuation } = Properties.GenerateSecretString;
      expect(ExcludePunctuation).toBe(true);
      expect(PasswordLength * Math.log2(62)).toBeGreaterThanOrEqual(256);
    }
    expect(Object.keys(permissionsOf(webhook)).join()).not.toContain('secretsmanager');
  });

  it('accepts what 8x8 sends at every moment of a rotation, of its rollback, and until the next', () => {
    const [first, second, third] = [1, 2, 3].map((authorizationVersion) =>
      templateOf({ authorizationVersion }),
    );
    if (!first || !second || !third) throw new Error('three templates were made');
    const registered = (of: Template) => expect.arrayContaining(registeredIn(of));

    // The webhook is changed before 8x8 is told: what 8x8 sends still is accepted by the new one …
    expect(acceptedIn(second)).toEqual(registered(first));
    expect(acceptedIn(third)).toEqual(registered(second));
    // … and when the deployment is rolled back, it is changed first too.
    expect(acceptedIn(first)).toEqual(registered(second));
    expect(acceptedIn(second)).toEqual(registered(third));
    // A value that two raises have made obsolete is gone.
    expect(acceptedIn(third)).not.toEqual(registered(first));
    expect(secretsOf(first)).toHaveLength(2);
    expect(secretsOf(third)).toHaveLength(3);
  });

  it('can be read by the functions that tell the digests and register it, and by no other', () => {
    const readers = Object.values(template.findResources('AWS::IAM::Policy')).filter(({ Properties }) =>
      JSON.stringify(Properties).includes('secretsmanager:'),
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

  /** What exists before a resource is made, and until it is gone: whatever it refers to or depends on. */
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

  it('is one per sub-account, with the URL, the current value and the settings', () => {
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

  it('keeps its logical ids: under another one, CloudFormation would delete what it has just registered', () => {
    expect(registrations.map(([id]) => id)).toEqual([
      'RegistrationSubAccountsomeaccountA8CE295B',
      'RegistrationSubAccountanotheraccountFEF6D1DB',
    ]);
  });

  it('comes after everything that receives, and goes before it', () => {
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

  it('may read the API key by its name, the current value, and the state of its own stack', () => {
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

  it('has time for all that it may have to wait for, and CloudFormation waits longer', () => {
    const readingSecrets = 2 * 20 * 3;
    // After that a client retries nothing: each of at most 20 more calls takes its ten seconds, and a pause of two.
    const calls = (RETRY_MS + 20 * (REQUEST_TIMEOUT_MS + 2_000) + RECHECK_RETRY_MS) / 1_000;
    expect(registration.properties.Timeout).toBeGreaterThanOrEqual(readingSecrets + calls);
    expect(Number(registrations[0]?.[1]['Properties'].ServiceTimeout)).toBeGreaterThan(
      registration.properties.Timeout,
    );
  });

  it('is checked every hour, from when it exists', () => {
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

  it('is checked by a schedule that may invoke that function, and do nothing else', () => {
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

describe('a stage that is not to be deployed', () => {
  const assertions = (stageName: string, settings: object) =>
    Object.values(templateOf(settings, stageName).toJSON()['Rules'] ?? {}).flatMap(
      (rule) => v.parse(v.object({ Assertions: v.array(v.unknown()) }), rule).Assertions,
    );
  const refusal = (AssertDescription: unknown) => ({
    Assert: { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'none'] },
    AssertDescription,
  });

  it('is refused by CloudFormation, with the reason: the stage for this machine, and a placeholder', () => {
    expect(assertions('local', {})).toContainEqual(refusal(expect.stringContaining('-c stage=NAME')));
    expect(assertions('prod', { subAccountIds: ['your_subaccount'] })).toContainEqual(
      refusal(
        expect.stringContaining('subAccountIds of the stage prod in cdk.json is still the placeholder'),
      ),
    );
    expect(assertions('prod', {})).not.toContainEqual(refusal(expect.anything()));
  });
});
