import { Match } from 'aws-cdk-lib/assertions';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { merge, newRecord, receivedSummary } from '../../../functions/vss/record.ts';
import { EventPattern, matchesPattern } from '../../../infra/local/event-pattern.ts';
import { inputTemplate } from '../../../infra/session-events/pipe-template.ts';
import { summaryBody, summaryOf } from '../../functions/summaries.ts';
import { onlyOf, templateOf } from '../templates.ts';
import { streamRecord } from './events.ts';

const template = templateOf({ sessionEvents: true });
const encrypted = templateOf({ sessionEvents: true, customerManagedKey: true });
const SHARED_BUS = 'arn:aws:events:us-east-1:123456789012:event-bus/shared';
const shared = templateOf({ sessionEvents: { eventBusArn: SHARED_BUS } });

const only = onlyOf(template);
const pipe = only('AWS::Pipes::Pipe');
const table = only('AWS::DynamoDB::Table');
const bus = only('AWS::Events::EventBus');
const deadLetterQueue = { 'Fn::GetAtt': [expect.stringMatching(/^SessionEventsDeadLetterQueue/), 'Arn'] };
const stream = { 'Fn::GetAtt': [table.id, 'StreamArn'] };
const RECORDER = { Description: 'Records sessions from the queue in the table' };
const busArn = Match.objectLike({
  'Fn::Join': ['', Match.arrayWith([Match.stringLikeRegexp('event-bus/stack-sessions$')])],
});

describe('without the setting', () => {
  it('there is no stream, pipe, bus, queue or variable', () => {
    const off = templateOf({});

    for (const type of ['AWS::Pipes::Pipe', 'AWS::Events::EventBus']) off.resourceCountIs(type, 0);
    off.hasResourceProperties('AWS::DynamoDB::Table', { StreamSpecification: Match.absent() });
    off.resourceCountIs('AWS::SQS::Queue', 2);
    expect(
      onlyOf(off)('AWS::Lambda::Function', RECORDER).properties.Environment.Variables,
    ).not.toHaveProperty('SESSION_EVENTS');
    expect(JSON.stringify(off.toJSON())).not.toMatch(/events\.amazonaws|pipes\.amazonaws/);
  });
});

describe('the pipe', () => {
  it('publishes the changes of the table on the bus, one by one, and retries each for twelve hours', () => {
    expect(table.properties.StreamSpecification).toEqual({ StreamViewType: 'NEW_IMAGE' });
    expect(pipe.properties).toMatchObject({
      Source: stream,
      SourceParameters: {
        DynamoDBStreamParameters: {
          StartingPosition: 'TRIM_HORIZON',
          BatchSize: 1,
          ParallelizationFactor: 10,
          MaximumRetryAttempts: -1,
          MaximumRecordAgeInSeconds: 43_200,
          DeadLetterConfig: { Arn: deadLetterQueue },
        },
      },
      Target: { 'Fn::GetAtt': [bus.id, 'Arn'] },
      TargetParameters: {
        EventBridgeEventBusParameters: { Source: 'stack', DetailType: '$.dynamodb.NewImage.event.M.type.S' },
        InputTemplate: inputTemplate(),
      },
    });
    // A fixed name would prevent its replacement when the stream is enabled again.
    expect(pipe.properties.Name).toBeUndefined();
  });

  it('has an input template within the limit, of paths in the attributes that every write with an event has', () => {
    const text = inputTemplate();
    const paths = [...text.matchAll(/<([^>]*)>/g)].map(([, path = '']) => path);

    expect(text.length).toBeLessThanOrEqual(8_192);
    for (const path of paths)
      expect(path).toMatch(
        /^\$\.dynamodb\.NewImage\.(event\.M(\.\w+)+|digest\.S|receivedAt\.S|revision\.N)$/,
      );
    // Only booleans are without quotation marks, and nothing else is inside the strings.
    expect(text.replaceAll(/"(<[^>]*>\/?)+"/g, '""').match(/<[^>]*>/g)).toEqual([
      '<$.dynamodb.NewImage.event.M.previousRetryCanHelp.BOOL>',
      '<$.dynamodb.NewImage.event.M.retryCanHelp.BOOL>',
    ]);
  });

  it('may read the stream, publish on the bus, and send to its dead-letter queue, and nothing else', () => {
    const { properties } = only('AWS::IAM::Role', {
      AssumeRolePolicyDocument: {
        Statement: [Match.objectLike({ Principal: { Service: 'pipes.amazonaws.com' } })],
      },
    });

    expect(pipe.properties.RoleArn).toEqual({
      'Fn::GetAtt': [expect.stringMatching(/^SessionEventsRole/), 'Arn'],
    });
    expect(properties.AssumeRolePolicyDocument.Statement).toMatchObject([
      { Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } } },
    ]);
    expect(
      properties.Policies.map(
        ({ PolicyDocument }: { PolicyDocument: { Statement: object[] } }) => PolicyDocument.Statement,
      ),
    ).toEqual([
      [
        {
          Effect: 'Allow',
          Action: [
            'dynamodb:DescribeStream',
            'dynamodb:GetRecords',
            'dynamodb:GetShardIterator',
            'dynamodb:ListStreams',
          ],
          Resource: stream,
        },
        { Effect: 'Allow', Action: 'events:PutEvents', Resource: { 'Fn::GetAtt': [bus.id, 'Arn'] } },
        { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: deadLetterQueue },
        {
          Effect: 'Allow',
          Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
          Resource: { 'Fn::GetAtt': [only('AWS::KMS::Key').id, 'Arn'] },
        },
      ],
    ]);
    expect(properties.ManagedPolicyArns).toBeUndefined();
  });

  it('publishes on an existing bus instead, if the settings name one', () => {
    shared.resourceCountIs('AWS::Events::EventBus', 0);
    shared.hasResourceProperties('AWS::Pipes::Pipe', { Target: SHARED_BUS });
    expect(JSON.stringify(shared.findResources('AWS::IAM::Role'))).toContain(
      `"Action":"events:PutEvents","Effect":"Allow","Resource":"${SHARED_BUS}"`,
    );
    expect(shared.findOutputs('EventBusArn')).toMatchObject({ EventBusArn: { Value: SHARED_BUS } });
  });
});

it('an existing bus in another account or region is rejected by CloudFormation', () => {
  expect(Object.values(shared.toJSON()['Rules'])).toContainEqual({
    Assertions: [
      {
        Assert: {
          'Fn::And': [
            { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'us-east-1'] },
            { 'Fn::Equals': [{ Ref: 'AWS::AccountId' }, '123456789012'] },
          ],
        },
        AssertDescription: expect.stringContaining(SHARED_BUS),
      },
    ],
  });
  expect(JSON.stringify(template.toJSON()['Rules'] ?? {})).not.toContain('eventBusArn');
});

describe('the bus', () => {
  it('has a name that the stage determines, and is encrypted with the key of the stack if all data is', () => {
    expect(bus.properties).toMatchObject({ Name: 'stack-sessions' });
    expect(bus.properties.KmsKeyIdentifier).toBeUndefined();
    encrypted.hasResourceProperties('AWS::Events::EventBus', {
      KmsKeyIdentifier: { 'Fn::GetAtt': [onlyOf(encrypted)('AWS::KMS::Key').id, 'Arn'] },
    });
  });

  it.each([
    ['on', encrypted],
    ['off, because the setting can be changed', template],
  ])('may use the key only for its own events, with customerManagedKey %s', (_, of) => {
    const allowed = (Action: string | string[], Condition: unknown) =>
      Match.objectLike({
        Effect: 'Allow',
        Principal: { Service: 'events.amazonaws.com' },
        Action,
        Condition,
      });

    of.hasResourceProperties('AWS::KMS::Key', {
      KeyPolicy: Match.objectLike({
        Statement: Match.arrayWith([
          allowed('kms:DescribeKey', Match.absent()),
          allowed(['kms:Decrypt', 'kms:GenerateDataKey'], {
            StringEquals: {
              'aws:SourceArn': busArn,
              'kms:EncryptionContext:aws:events:event-bus:arn': busArn,
            },
          }),
        ]),
      }),
    });
  });
});

describe('the dead-letter queue of the bus', () => {
  it('receives what the bus cannot encrypt, and does not depend on that key', () => {
    const { id, properties } = onlyOf(encrypted)('AWS::SQS::Queue', { SqsManagedSseEnabled: true });
    const queue = { 'Fn::GetAtt': [id, 'Arn'] };

    expect(id).toMatch(/^SessionEventsBusDeadLetterQueue/);
    expect(properties.MessageRetentionPeriod).toBe(14 * 86_400);
    encrypted.hasResourceProperties('AWS::Events::EventBus', { DeadLetterConfig: { Arn: queue } });
    encrypted.hasResourceProperties('AWS::SQS::QueuePolicy', {
      Queues: [{ Ref: id }],
      PolicyDocument: Match.objectLike({
        Statement: Match.arrayWith([
          {
            Effect: 'Allow',
            Principal: { Service: 'events.amazonaws.com' },
            Action: 'sqs:SendMessage',
            Resource: queue,
            Condition: { ArnEquals: { 'aws:SourceArn': busArn } },
          },
        ]),
      }),
    });
    encrypted.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'stack-SessionEventsUnreadable',
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Dimensions: [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [id, 'QueueName'] } }],
    });
  });

  it('exists only for a bus of the stack with the key of the stack', () => {
    for (const each of [template, shared]) each.resourceCountIs('AWS::SQS::Queue', 3);
    expect(bus.properties.DeadLetterConfig).toBeUndefined();
  });
});

describe('the recorder', () => {
  it.each([
    [true, 'without-phone-numbers'],
    [{ phoneNumbers: false }, 'without-phone-numbers'],
    [{ phoneNumbers: true }, 'with-phone-numbers'],
  ])('writes events for the setting %j, %s', (sessionEvents, expected) => {
    const { properties } = onlyOf(templateOf({ sessionEvents }))('AWS::Lambda::Function', RECORDER);

    expect(properties.Environment.Variables.SESSION_EVENTS).toBe(expected);
  });
});

describe('the filter', () => {
  const Filters = v.array(v.object({ Pattern: v.pipe(v.string(), v.parseJson(), EventPattern) }));
  const patternsOf = (of: typeof template) =>
    v
      .parse(Filters, onlyOf(of)('AWS::Pipes::Pipe').properties.SourceParameters.FilterCriteria.Filters)
      .map(({ Pattern }) => Pattern);
  const all = patternsOf(template);
  const unsuccessful = patternsOf(templateOf({ sessionEvents: { outcomes: 'unsuccessful' } }));
  const isSelected = (patterns: EventPattern[], change: unknown) =>
    patterns.some((pattern) => matchesPattern(pattern, change));

  const record = (sessionStatus: string, second: number) =>
    newRecord(
      receivedSummary(
        summaryOf(summaryBody({ sessionStatus, endTime: `2026-01-13T08:27:${second}Z` })),
        '2026-01-13T08:27:34.567Z',
      ),
    );
  const completed = record('COMPLETED', 40);
  const failed = record('FAILED', 30);
  const corrected = merge(failed, completed);

  it.each([
    ['a new successful session', streamRecord(completed), true, false],
    ['a new unsuccessful session', streamRecord(failed), true, true],
    ['a change to successful', streamRecord(corrected, { before: failed }), true, true],
    [
      'a change from successful',
      streamRecord(merge(completed, record('BUSY', 50)), { before: completed }),
      true,
      true,
    ],
    [
      'a change that stays successful',
      streamRecord(merge(completed, record('COMPLETED', 50)), { before: completed }),
      true,
      false,
    ],
    ['a new alternate', streamRecord(corrected, { before: completed }), false, false],
    ['a deletion', { eventName: 'REMOVE', dynamodb: { Keys: { sessionId: { S: 'a' } } } }, false, false],
  ])('for %s', (_, change, isInAll, isInUnsuccessful) => {
    expect(isSelected(all, change)).toBe(isInAll);
    expect(isSelected(unsuccessful, change)).toBe(isInUnsuccessful);
  });
});
