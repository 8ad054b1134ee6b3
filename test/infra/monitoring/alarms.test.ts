import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { backoffSeconds } from '../../../functions/recorder/retry-policy.ts';
import { STATUSES } from '../../../functions/vss/payload.ts';
import { isSuccessful } from '../../../functions/vss/record.ts';
import { onlyOf, templateOf } from '../templates.ts';

const template = templateOf();
const reporting = templateOf({ reconciliation: 'report' });
const customized = templateOf({
  alarmEmail: 'ops@example.com',
  noSessionsHours: 6,
  registrationCheckMinutes: 5,
});
const only = onlyOf(template);

const alarmsOf = (of: typeof template) =>
  Object.values(of.findResources('AWS::CloudWatch::Alarm')).map(({ Properties }) => Properties);

function alarm(name: string, of = template) {
  const found = alarmsOf(of).find(({ AlarmName }) => AlarmName === `stack-${name}`);
  if (!found) throw new Error(`No alarm ${name}`);
  return found;
}

const SERVICE = [{ Name: 'service', Value: 'stack' }];
const UNAUTHORIZED = { Name: 'reason', Value: 'unauthorized' };
const API = [{ Name: 'ApiName', Value: 'stack' }];
const nameOf = (id: string) => ({ 'Fn::GetAtt': [expect.stringContaining(id), 'QueueName'] });
const DEAD_LETTERS = [{ Name: 'QueueName', Value: nameOf('DeadLetterQueue') }];
const QUEUE = [{ Name: 'QueueName', Value: nameOf('QueuesQueue') }];
const functionOf = (id: string) => [{ Name: 'FunctionName', Value: { Ref: expect.stringContaining(id) } }];

describe('the alarms', () => {
  it('are exactly these, plus NoSessions with noSessionsHours', () => {
    const names = (of: typeof template) =>
      alarmsOf(of).map(({ AlarmName }) => AlarmName.replace('stack-', ''));

    expect(names(template).toSorted()).toEqual([
      'DeadLetters',
      'ExportMissing',
      'ExportRefused',
      'ExportsErrors',
      'LogExportEmpty',
      'QueueAge',
      'ReconciliationErrors',
      'ReconciliationHeld',
      'ReconciliationOverdue',
      'RecorderDuration',
      'RecorderErrors',
      'RecordsFailed',
      'RegistrationErrors',
      'RegistrationLost',
      'RegistrationUnchecked',
      'RowsRefused',
      'SessionsMissed',
      'Webhook4xx',
      'Webhook5xx',
      'WebhookBlocked',
      'WebhookDuration',
      'WebhookErrors',
      'WebhookThrottles',
      'WebhookUnauthorized',
    ]);
    expect(names(customized)).toContain('NoSessions');
  });

  it('describe what they mean, what is at risk and what to run first, in less than 1024 characters', () => {
    for (const { AlarmDescription } of [customized, reporting, templateOf({ sessionEvents: true })].flatMap(
      alarmsOf,
    )) {
      const text = JSON.stringify(AlarmDescription);
      expect(text).toMatch(/\. At risk: .*\. First: /);
      expect(text.length).toBeLessThan(900);
    }
  });

  it('state the retention of the queues and the outage from which the recorder catches up', () => {
    const days = (queue: string) =>
      Object.entries(template.findResources('AWS::SQS::Queue')).find(([id]) => id.startsWith(queue))?.[1][
        'Properties'
      ].MessageRetentionPeriod / 86_400;

    expect(alarm('QueueAge').AlarmDescription).toContain(`keeps a delivery for ${days('QueuesQueue')} days`);
    expect(alarm('QueueAge').AlarmDescription).toContain(
      'After an outage of up to 12 hours the recorder catches up by itself',
    );
    expect(JSON.stringify(alarm('RecordsFailed').AlarmDescription)).toContain('retried for 14 hours');
    expect(alarm('DeadLetters').AlarmDescription).toContain(
      `deleted ${days('QueuesDeadLetterQueue')} days after they were delivered`,
    );
  });

  it('include RecordsFailed, which stays in alarm while a message is retried with the longest back-off', () => {
    const { DatapointsToAlarm, EvaluationPeriods, Period } = alarm('RecordsFailed');
    const attempts = Array.from({ length: 12 }, (_, hour) => hour * (backoffSeconds(20) + 30));
    const breaching = new Set(attempts.map((at) => Math.floor(at / Period)));
    const isInAlarm = (last: number) =>
      Array.from({ length: EvaluationPeriods }, (_, i) => last - i).filter((period) => breaching.has(period))
        .length >= DatapointsToAlarm;

    const [, second = 0] = breaching;
    const last = Math.max(...breaching);
    for (let period = second; period <= last; period++) expect(isInAlarm(period)).toBe(true);
    expect(isInAlarm(last + EvaluationPeriods)).toBe(false);
  });

  it('notify one topic when they trigger and when they return to OK', () => {
    const topic = { Ref: only('AWS::SNS::Topic').id };

    for (const { AlarmActions, OKActions } of alarmsOf(template)) {
      expect(AlarmActions).toEqual([topic]);
      expect(OKActions).toEqual([topic]);
    }
  });

  it.each([
    ['DeadLetters', 'ApproximateNumberOfMessagesVisible', 'Maximum', 1, 1, DEAD_LETTERS],
    ['QueueAge', 'ApproximateAgeOfOldestMessage', 'Maximum', 600, 2, QUEUE],
    ['RecordsFailed', 'RecordsFailed', 'Sum', 1, 26, SERVICE],
    ['Webhook5xx', '5XXError', 'Sum', 1, 1, API],
    ['Webhook4xx', '4XXError', 'Sum', 100, 1, API],
    ['WebhookUnauthorized', 'DeliveriesRejected', 'Sum', 1, 1, [UNAUTHORIZED, ...SERVICE]],
    ['WebhookErrors', 'Errors', 'Sum', 1, 1, functionOf('WebhookFunction')],
    ['RecorderErrors', 'Errors', 'Sum', 1, 1, functionOf('RecorderFunction')],
    ['RegistrationErrors', 'Errors', 'Sum', 1, 1, functionOf('RegistrationFunction')],
    ['WebhookThrottles', 'Throttles', 'Sum', 1, 1, functionOf('WebhookFunction')],
    ['WebhookDuration', 'Duration', 'Maximum', 8_000, 1, functionOf('WebhookFunction')],
    ['RecorderDuration', 'Duration', 'Maximum', 24_000, 1, functionOf('RecorderFunction')],
  ])(
    'include %s, which triggers when %s (%s) is at least %d within %d periods, and is OK without data',
    (name, metric, statistic, threshold, periods, dimensions) => {
      expect(alarm(name)).toMatchObject({
        MetricName: metric,
        Statistic: statistic,
        Threshold: threshold,
        Period: 300,
        EvaluationPeriods: periods,
        Dimensions: dimensions,
        ComparisonOperator: 'GreaterThanOrEqualToThreshold',
        TreatMissingData: 'notBreaching',
      });
    },
  );

  it('detect that requests are refused before the function while no delivery is accepted', () => {
    const { Metrics, EvaluationPeriods, DatapointsToAlarm, Threshold } = alarm('WebhookBlocked');
    const metricOf = (id: string) => Metrics.find(({ Id }: { Id: string }) => Id === id).MetricStat;

    expect([EvaluationPeriods, DatapointsToAlarm, Threshold]).toEqual([3, 3, 1]);
    expect(Metrics[0].Expression).toBe(
      'IF(FILL(refused, 0) - FILL(invoked, 0) >= 10 AND FILL(accepted, 0) < 1, 1, 0)',
    );
    expect(metricOf('refused')).toMatchObject({
      Metric: { Namespace: 'AWS/ApiGateway', MetricName: '4XXError', Dimensions: API },
      Period: 3_600,
      Stat: 'Sum',
    });
    expect(metricOf('invoked')).toMatchObject({
      Metric: { MetricName: 'Invocations', Dimensions: functionOf('WebhookFunction') },
      Period: 3_600,
      Stat: 'Sum',
    });
    expect(metricOf('accepted')).toMatchObject({
      Metric: { MetricName: 'DeliveriesAccepted', Dimensions: SERVICE },
      Period: 3_600,
      Stat: 'Sum',
    });
  });

  it('detect a lost registration at the next check', () => {
    expect(alarm('RegistrationLost')).toMatchObject({
      MetricName: 'WebhookRegistered',
      Threshold: 0,
      ComparisonOperator: 'LessThanOrEqualToThreshold',
      Statistic: 'Minimum',
      Period: 3_600,
      EvaluationPeriods: 1,
      TreatMissingData: 'ignore',
    });
    expect(alarm('RegistrationLost', customized)).toMatchObject({ Period: 300 });
  });

  it('detect that three consecutive checks each left a sub-account unchecked', () => {
    expect(alarm('RegistrationUnchecked')).toMatchObject({
      MetricName: 'WebhookUnchecked',
      Threshold: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      Statistic: 'Minimum',
      Period: 3_600,
      EvaluationPeriods: 3,
      DatapointsToAlarm: 3,
      TreatMissingData: 'breaching',
    });
  });

  it('detect that DynamoDB refuses to start an export in two consecutive hours', () => {
    expect(alarm('ExportRefused')).toMatchObject({
      Namespace: 'VssWebhook',
      MetricName: 'ExportsRefused',
      Statistic: 'Maximum',
      Period: 3_600,
      EvaluationPeriods: 2,
      DatapointsToAlarm: 2,
      Threshold: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
    });
  });

  it('detect that the exported data is more than 28 hours old, and that its age is not measured', () => {
    expect(alarm('ExportMissing')).toMatchObject({
      Namespace: 'VssWebhook',
      MetricName: 'ExportAge',
      Statistic: 'Maximum',
      Period: 3_600,
      EvaluationPeriods: 2,
      DatapointsToAlarm: 2,
      Threshold: 28 * 3_600,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      TreatMissingData: 'breaching',
    });
  });

  it.each([
    ['SessionsMissed', 'MissedSessions', 'Sum', 1, 'notBreaching'],
    ['RowsRefused', 'RefusedRows', 'Sum', 1, 'notBreaching'],
    ['ReconciliationHeld', 'ReconciliationHeld', 'Maximum', 1, 'ignore'],
    ['ReconciliationOverdue', 'ReconciliationOverdue', 'Maximum', 2, 'breaching'],
  ])(
    'detect what the reconciliation finds: %s, if %s (%s) is at least 1 in %d hours; missing data is %s',
    (name, metric, statistic, periods, missing) => {
      expect(alarm(name)).toMatchObject({
        Namespace: 'VssWebhook',
        MetricName: metric,
        Statistic: statistic,
        Period: 3_600,
        EvaluationPeriods: periods,
        DatapointsToAlarm: periods,
        Threshold: 1,
        ComparisonOperator: 'GreaterThanOrEqualToThreshold',
        TreatMissingData: missing,
      });
    },
  );

  it('say of missed sessions whether they are recorded, and of a held day how to record it', () => {
    const reconcile = 'First: npx --no vss-webhook reconcile --stage test, which';

    expect(alarm('SessionsMissed').AlarmDescription).toContain('the sessions are recorded as reconstructed');
    expect(alarm('SessionsMissed').AlarmDescription).toContain(`${reconcile} lists them by day; then`);
    expect(alarm('SessionsMissed', reporting).AlarmDescription).toContain('they are only reported');
    expect(alarm('SessionsMissed', reporting).AlarmDescription).toContain(
      `${reconcile} lists them by day and records them`,
    );
    expect(alarm('ReconciliationHeld').AlarmDescription).toContain(
      'then the same with --beyond-limit, which records them',
    );
  });

  it("detect that 8x8's log export is empty on two days on which sessions were recorded", () => {
    expect(alarm('LogExportEmpty')).toMatchObject({
      EvaluationPeriods: 2,
      DatapointsToAlarm: 2,
      Threshold: 1,
      TreatMissingData: 'notBreaching',
      Metrics: [
        { Expression: 'IF(exported < 1 AND recorded > 0, 1, 0)' },
        {
          Id: 'exported',
          MetricStat: { Metric: { MetricName: 'ExportedSessions' }, Period: 86_400, Stat: 'Sum' },
        },
        {
          Id: 'recorded',
          MetricStat: { Metric: { MetricName: 'SessionsRecorded' }, Period: 86_400, Stat: 'Sum' },
        },
      ],
    });
  });

  it('detect that no session is recorded for noSessionsHours', () => {
    expect(alarm('NoSessions', customized)).toMatchObject({
      MetricName: 'SessionsRecorded',
      Period: 6 * 3_600,
      Threshold: 0,
      TreatMissingData: 'breaching',
    });
  });

  it('use only metrics of this stack, not of another stack in the account', () => {
    for (const { Namespace, Dimensions } of alarmsOf(customized)) {
      if (Namespace === 'VssWebhook') expect(Dimensions).toContainEqual({ Name: 'service', Value: 'stack' });
    }
  });
});

describe('the topic of the alarms', () => {
  const { id, properties } = only('AWS::SNS::Topic');

  it('is encrypted with the key of the stack, which CloudWatch may use', () => {
    const key = only('AWS::KMS::Key');

    expect(properties.KmsMasterKeyId).toEqual({ 'Fn::GetAtt': [key.id, 'Arn'] });
    expect(key.properties.EnableKeyRotation).toBe(true);
    expect(key.properties.KeyPolicy.Statement).toContainEqual({
      Effect: 'Allow',
      Principal: { Service: 'cloudwatch.amazonaws.com' },
      Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      Resource: '*',
      Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
    });
  });

  it('accepts messages only from CloudWatch in this account, and only over TLS', () => {
    const { Statement } = only('AWS::SNS::TopicPolicy').properties.PolicyDocument;

    expect(Statement).toEqual([
      expect.objectContaining({
        Effect: 'Deny',
        Action: 'sns:Publish',
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      }),
      expect.objectContaining({
        Effect: 'Allow',
        Principal: { Service: 'cloudwatch.amazonaws.com' },
        Action: 'sns:Publish',
        Resource: { Ref: id },
        Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
      }),
    ]);
  });

  it('has an e-mail subscription only with alarmEmail', () => {
    template.resourceCountIs('AWS::SNS::Subscription', 0);
    customized.hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: 'ops@example.com',
    });
  });
});

it('the dashboard has a widget with all alarms, and shows every metric that the functions publish', () => {
  const body = JSON.stringify(only('AWS::CloudWatch::Dashboard').properties.DashboardBody);

  expect(body.match(/\\"type\\":\\"alarm\\"/g)).toHaveLength(1);
  for (const metric of [
    'DeliveriesAccepted',
    'DeliveriesRejected',
    'SessionsRecorded',
    'DuplicateDeliveries',
    'ConflictingSummaries',
    'UnrecognisedFields',
    'IncompleteSummaries',
    'RecordsFailed',
    'DeadLettered',
    'WebhookRegistered',
    'WebhookUnchecked',
    'RecordingLag',
    'ExportAge',
    'ExportsRefused',
    'ExportedSessions',
    'MissedSessions',
    'ReconciledSessions',
    'DifferingSessions',
    'RefusedRows',
    'ReconciliationOverdue',
    'ReconciliationHeld',
    'ApproximateAgeOfOldestMessage',
    'ConsumedWriteCapacityUnits',
    'IncomingBytes',
  ]) {
    expect(body).toContain(metric);
  }
  expect(body).toContain(
    `SEARCH('{VssWebhook,service,sessionStatus} service=\\\\\\"stack\\\\\\" MetricName=\\\\\\"SessionsRecorded\\\\\\"', 'Sum', 300)`,
  );
});

describe('the alarms of the session events', () => {
  const publishing = templateOf({ sessionEvents: true });
  const PIPE = { Ref: expect.stringContaining('SessionEventsPipe') };

  it('are in alarm while the pipe keeps failing, also after EventBridge has stopped it', () => {
    expect(alarm('SessionEventsFailing', publishing)).toMatchObject({
      Namespace: 'AWS/EventBridge/Pipes',
      MetricName: 'ExecutionFailed',
      Dimensions: [{ Name: 'PipeName', Value: PIPE }],
      Statistic: 'Sum',
      Threshold: 1,
      Period: 300,
      EvaluationPeriods: 6,
      DatapointsToAlarm: 3,
      TreatMissingData: 'ignore',
    });
  });

  it.each([
    [true, 'FILL(recorded, 0)', [undefined]],
    [
      { outcomes: 'unsuccessful' },
      'FILL(recorded0, 0) + FILL(recorded1, 0) + FILL(recorded2, 0) + FILL(recorded3, 0) + FILL(recorded4, 0) + FILL(recorded5, 0)',
      // Every status of an unsuccessful session, and OTHER for the undocumented ones.
      [...STATUSES.filter((sessionStatus) => !isSuccessful({ sessionStatus })), 'OTHER'],
    ],
  ])(
    'are in alarm if sessions were recorded that should cause events, but none was published: %j',
    (sessionEvents, sum, statuses) => {
      const { Metrics, EvaluationPeriods } = alarm('SessionEventsStopped', templateOf({ sessionEvents }));
      const [expression, ...metrics] = v.parse(
        v.array(
          v.object({
            Expression: v.optional(v.string()),
            MetricStat: v.optional(
              v.object({
                Metric: v.object({
                  MetricName: v.string(),
                  Dimensions: v.array(v.object({ Name: v.string(), Value: v.unknown() })),
                }),
                Period: v.literal(3_600),
                Stat: v.literal('Sum'),
              }),
            ),
          }),
        ),
        Metrics,
      );
      const recorded = metrics.filter(
        ({ MetricStat }) => MetricStat?.Metric.MetricName === 'SessionsRecorded',
      );

      expect(expression?.Expression).toBe(`IF(FILL(published, 0) < 1 AND ${sum} > 0, 1, 0)`);
      expect(EvaluationPeriods).toBe(2);
      expect(metrics.map(({ MetricStat }) => MetricStat?.Metric.MetricName)).toContain('EventCount');
      expect(
        recorded
          .map(
            ({ MetricStat }) =>
              MetricStat?.Metric.Dimensions.find(({ Name }) => Name === 'sessionStatus')?.Value,
          )
          .toSorted(),
      ).toEqual(statuses.toSorted());
    },
  );

  it('are in alarm as soon as an event was given up, while it can still be published', () => {
    const { SourceParameters } = onlyOf(publishing)('AWS::Pipes::Pipe').properties;
    const hours = SourceParameters.DynamoDBStreamParameters.MaximumRecordAgeInSeconds / 3_600;

    expect(alarm('SessionEventsDeadLetters', publishing)).toMatchObject({
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Dimensions: [{ Name: 'QueueName', Value: nameOf('SessionEventsDeadLetterQueue') }],
      Threshold: 1,
      EvaluationPeriods: 1,
      AlarmDescription: expect.stringContaining('npx --no vss-webhook redrive events --stage test'),
    });
    expect(hours).toBeLessThanOrEqual(12);
    for (const name of ['SessionEventsFailing', 'SessionEventsDeadLetters'])
      expect(alarm(name, publishing).AlarmDescription).toContain(`${hours} hours`);
  });

  it('have a graph on the dashboard', () => {
    const body = JSON.stringify(onlyOf(publishing)('AWS::CloudWatch::Dashboard').properties.DashboardBody);

    for (const metric of ['EventCount', 'ExecutionFailed']) expect(body).toContain(metric);
    expect(body).toContain('SessionEventsDeadLetterQueue');
  });
});
