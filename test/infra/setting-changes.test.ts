import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { fullDiff, ResourceImpact } from '@aws-cdk/cloudformation-diff';
import { describe, expect, it } from 'vitest';
import { Settings } from '../../infra/settings.ts';
import { readStage } from '../../infra/stages.ts';
import { localSettings, templateOf } from './templates.ts';

/**
 * The promise to the platform team: a setting of a deployed stage can be changed and reverted without loss. README.md,
 * "Changing a setting", describes the effect of each change. What could break it: a property whose change replaces a
 * table, a queue or the URL. AWS's schemas, which `cdk diff` also uses, define which properties do.
 */

const CERTIFICATE = 'arn:aws:acm:us-east-1:000000000000:certificate/1';

/** Two values of every setting. */
const CHANGES: { readonly [K in keyof Settings]-?: readonly [before: unknown, after: unknown] } = {
  subAccountIds: [['8x8_test'], ['8x8_test', 'another']],
  apiKeySecretName: ['a', 'b'],
  authorizationVersion: [2, 3],
  webhooksApiUrl: ['https://voice.8x8.com', 'https://voice.example'],
  takeOver: [false, true],
  onDelete: ['remove', 'keep'],
  allowedSourceIps: [['18.140.80.2'], 'any'],
  throttlingRate: [200, 100],
  throttlingBurst: [400, 200],
  accessLogs: [false, true],
  customDomain: [undefined, { name: 'vss.example.com', certificateArn: CERTIFICATE, isLive: true }],
  webAclArn: [undefined, 'arn:aws:wafv2:us-east-1:000000000000:regional/webacl/a/b'],
  retentionDays: [undefined, 30],
  retainData: [true, false],
  customerManagedKey: [false, true],
  recorderWindowSeconds: [0, 60],
  webhookConcurrency: [undefined, 20],
  recorderConcurrency: [10, 20],
  logRetentionDays: [30, 7],
  tracedFraction: [0.005, 1],
  alarmEmail: [undefined, 'a@example.com'],
  noSessionsHours: [undefined, 6],
  permissionsBoundaryArn: [undefined, 'arn:aws:iam::000000000000:policy/boundary'],
  tags: [{}, { team: 'voice' }],
  reconciliation: ['off', 'record'],
  logExportUrl: ['https://voice.wavecell.com', 'https://voice.example'],
  sessionEvents: [false, true],
  exports: [false, true],
  exportHour: [2, 14],
  fullExportDays: [7, 1],
  exportRetentionDays: [30, 14],
  exportVersioning: [false, true],
  timeZone: ['UTC', 'Asia/Singapore'],
  queryScanLimitGigabytes: [100, 10],
  registrationCheckMinutes: [60, 5],
};

/** Settings whose changes only update resources in place. They are changed all at once, which saves two thirds of the syntheses. */
const UPDATING: readonly (keyof Settings)[] = [
  'apiKeySecretName',
  'webhooksApiUrl',
  'takeOver',
  'onDelete',
  'allowedSourceIps',
  'throttlingRate',
  'throttlingBurst',
  'retentionDays',
  'retainData',
  'customerManagedKey',
  'recorderWindowSeconds',
  'webhookConcurrency',
  'recorderConcurrency',
  'logRetentionDays',
  'tracedFraction',
  'permissionsBoundaryArn',
  'tags',
  'logExportUrl',
  'exportHour',
  'fullExportDays',
  'exportRetentionDays',
  'exportVersioning',
  'queryScanLimitGigabytes',
  'registrationCheckMinutes',
];

/** Settings that each add resources of another type. They are changed all at once, too. */
const ADDING: readonly (keyof Settings)[] = [
  'accessLogs',
  'alarmEmail',
  'noSessionsHours',
  'subAccountIds',
  'webAclArn',
];

const valuesOf = (names: readonly (keyof Settings)[], index: 0 | 1) =>
  Object.fromEntries(names.map((name) => [name, CHANGES[name][index]]));

/** Changes to other values, and of several settings at once. */
const MORE_CHANGES: readonly (readonly [name: string, before: object, after: object])[] = [
  ['the settings that update in place', valuesOf(UPDATING, 0), valuesOf(UPDATING, 1)],
  ['the settings that each add another type', valuesOf(ADDING, 0), valuesOf(ADDING, 1)],
  ['reconciliation to report', { reconciliation: 'record' }, { reconciliation: 'report' }],
  [
    'reconciliation without exports',
    { exports: false, reconciliation: 'off' },
    { exports: false, reconciliation: 'record' },
  ],
  [
    'exports without reconciliation',
    { exports: false, reconciliation: 'off' },
    { exports: true, reconciliation: 'off' },
  ],
  ['alarmEmail to another address', { alarmEmail: 'a@example.com' }, { alarmEmail: 'b@example.com' }],
  [
    'customDomain to another name',
    { customDomain: { name: 'a.example.com', certificateArn: CERTIFICATE, isLive: true } },
    { customDomain: { name: 'b.example.com', certificateArn: CERTIFICATE, isLive: true } },
  ],
  [
    'customDomain to live with another certificate',
    { customDomain: { name: 'a.example.com', certificateArn: CERTIFICATE } },
    { customDomain: { name: 'a.example.com', certificateArn: `${CERTIFICATE}2`, isLive: true } },
  ],
  [
    'sessionEvents to another bus',
    { sessionEvents: true },
    { sessionEvents: { eventBusArn: 'arn:aws:events:us-east-1:000000000000:event-bus/shared' } },
  ],
  [
    'sessionEvents to other events',
    { sessionEvents: true },
    { sessionEvents: { outcomes: 'unsuccessful', phoneNumbers: true } },
  ],
  [
    'customerManagedKey with sessionEvents',
    { customerManagedKey: false, sessionEvents: true },
    { customerManagedKey: true, sessionEvents: true },
  ],
  [
    'customerManagedKey without retained data',
    { customerManagedKey: true, retainData: false },
    { customerManagedKey: false, retainData: false },
  ],
];

const settingsOf = (changed: object) => readStage({ dev: { ...localSettings, ...changed } }, 'dev').settings;

/** The template with these settings. Reuses the cached default template if all are defaults, which saves a synthesis. */
function templateWith(changed: object) {
  return templateOf(isDeepStrictEqual(settingsOf(changed), settingsOf({})) ? {} : changed);
}

/** The resources that a deployment creates, deletes, replaces or orphans. Excludes updates in place. */
function effectsOf(before: object, after: object): string[] {
  const found: string[] = [];
  const diff = fullDiff(templateWith(before).toJSON(), templateWith(after).toJSON());
  diff.resources.forEachDifference((_, { changeImpact, resourceType }) => {
    // Every change of an API creates a new deployment resource.
    if (IN_PLACE.has(changeImpact) || resourceType === 'AWS::ApiGateway::Deployment') return;
    found.push(`${changeImpact.replace('WILL_', '')} ${resourceType}`);
  });
  return [...new Set(found)].toSorted();
}

const IN_PLACE: ReadonlySet<ResourceImpact> = new Set([ResourceImpact.NO_CHANGE, ResourceImpact.WILL_UPDATE]);

/** Resources that contain data or have an address that others use. */
const STATEFUL =
  /AWS::(?:DynamoDB::Table|SQS::Queue|S3::Bucket|KMS::Key|SecretsManager::Secret|ApiGateway::(?:RestApi|Stage)|SNS::Topic)$/;

/** Changes that remove such a resource on purpose. */
const EXPECTED: ReadonlySet<string> = new Set([
  // The value before the previous one is no longer accepted.
  'authorizationVersion: DESTROY AWS::SecretsManager::Secret',
  // It only names the changes that the pipe, which is deleted too, could not publish.
  'sessionEvents: DESTROY AWS::SQS::Queue',
  // It is empty while the key of the bus works, and an alarm tells if it is not.
  'customerManagedKey with sessionEvents: DESTROY AWS::SQS::Queue',
  // The bucket remains, but no longer belongs to a stack.
  'exports without reconciliation: ORPHAN AWS::S3::Bucket',
  'reconciliation without exports: ORPHAN AWS::S3::Bucket',
]);

describe('a change of a setting', () => {
  it('has a row in README.md for every setting', () => {
    const readme = readFileSync(new URL('../../infra/README.md', import.meta.url), 'utf8');
    const [, section = ''] = /## Changing a setting\n(.*?)\n#/s.exec(readme) ?? [];
    const rows = [...section.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(
      ([, names = '']) => names.match(/\w+/g) ?? [],
    );

    expect(rows.toSorted()).toEqual(Object.keys(Settings.entries).toSorted());
  });

  const pairs = Object.entries(CHANGES)
    .filter(([name]) => ![...UPDATING, ...ADDING].some((other) => other === name))
    .map(([name, [before, after]]) => [name, { [name]: before }, { [name]: after }] as const);
  const changes = [...pairs, ...MORE_CHANGES].flatMap(([name, before, after]) => [
    { name, direction: 'applied', effects: effectsOf(before, after) },
    { name, direction: 'reverted', effects: effectsOf(after, before) },
  ]);

  it.each(changes)('replaces or deletes no stateful resource: $name, $direction', ({ name, effects }) => {
    const lost = effects.filter((effect) => STATEFUL.test(effect) && !effect.startsWith('CREATE'));

    expect(lost.filter((effect) => !EXPECTED.has(`${name}: ${effect}`))).toEqual([]);
  });

  it('creates, deletes and replaces exactly these resources, and updates all others in place', () => {
    const table = changes.map(({ name, direction, effects }) => [
      `${name}, ${direction}`,
      effects.join('; '),
    ]);

    expect(Object.fromEntries(table.filter(([, effect]) => effect !== ''))).toMatchInlineSnapshot(`
      {
        "alarmEmail to another address, applied": "CREATE AWS::SNS::Subscription; DESTROY AWS::SNS::Subscription",
        "alarmEmail to another address, reverted": "CREATE AWS::SNS::Subscription; DESTROY AWS::SNS::Subscription",
        "authorizationVersion, applied": "CREATE AWS::SecretsManager::Secret; DESTROY AWS::SecretsManager::Secret",
        "authorizationVersion, reverted": "CREATE AWS::SecretsManager::Secret; DESTROY AWS::SecretsManager::Secret",
        "customDomain to another name, applied": "REPLACE AWS::ApiGateway::BasePathMapping; REPLACE AWS::ApiGateway::DomainName",
        "customDomain to another name, reverted": "REPLACE AWS::ApiGateway::BasePathMapping; REPLACE AWS::ApiGateway::DomainName",
        "customDomain, applied": "CREATE AWS::ApiGateway::BasePathMapping; CREATE AWS::ApiGateway::DomainName",
        "customDomain, reverted": "DESTROY AWS::ApiGateway::BasePathMapping; DESTROY AWS::ApiGateway::DomainName",
        "customerManagedKey with sessionEvents, applied": "CREATE AWS::CloudWatch::Alarm; CREATE AWS::SQS::Queue; CREATE AWS::SQS::QueuePolicy",
        "customerManagedKey with sessionEvents, reverted": "DESTROY AWS::CloudWatch::Alarm; DESTROY AWS::SQS::Queue; DESTROY AWS::SQS::QueuePolicy",
        "exports without reconciliation, applied": "CREATE AWS::Athena::NamedQuery; CREATE AWS::Athena::WorkGroup; CREATE AWS::CloudWatch::Alarm; CREATE AWS::Glue::Database; CREATE AWS::Glue::Table; CREATE AWS::IAM::ManagedPolicy; CREATE AWS::IAM::Policy; CREATE AWS::IAM::Role; CREATE AWS::Lambda::Function; CREATE AWS::Logs::LogGroup; CREATE AWS::S3::Bucket; CREATE AWS::S3::BucketPolicy; CREATE AWS::Scheduler::Schedule",
        "exports without reconciliation, reverted": "DESTROY AWS::Athena::NamedQuery; DESTROY AWS::Athena::WorkGroup; DESTROY AWS::CloudWatch::Alarm; DESTROY AWS::Glue::Database; DESTROY AWS::Glue::Table; DESTROY AWS::IAM::ManagedPolicy; DESTROY AWS::IAM::Policy; DESTROY AWS::IAM::Role; DESTROY AWS::Lambda::Function; DESTROY AWS::Logs::LogGroup; DESTROY AWS::S3::BucketPolicy; DESTROY AWS::Scheduler::Schedule; ORPHAN AWS::S3::Bucket",
        "exports, applied": "CREATE AWS::Athena::NamedQuery; CREATE AWS::Athena::WorkGroup; CREATE AWS::CloudWatch::Alarm; CREATE AWS::Glue::Database; CREATE AWS::Glue::Table; CREATE AWS::IAM::ManagedPolicy; CREATE AWS::IAM::Policy; CREATE AWS::IAM::Role; CREATE AWS::Lambda::Function; CREATE AWS::Logs::LogGroup; CREATE AWS::Scheduler::Schedule",
        "exports, reverted": "DESTROY AWS::Athena::NamedQuery; DESTROY AWS::Athena::WorkGroup; DESTROY AWS::CloudWatch::Alarm; DESTROY AWS::Glue::Database; DESTROY AWS::Glue::Table; DESTROY AWS::IAM::ManagedPolicy; DESTROY AWS::IAM::Policy; DESTROY AWS::IAM::Role; DESTROY AWS::Lambda::Function; DESTROY AWS::Logs::LogGroup; DESTROY AWS::Scheduler::Schedule",
        "reconciliation without exports, applied": "CREATE AWS::CloudWatch::Alarm; CREATE AWS::IAM::Policy; CREATE AWS::IAM::Role; CREATE AWS::Lambda::Function; CREATE AWS::Logs::LogGroup; CREATE AWS::S3::Bucket; CREATE AWS::S3::BucketPolicy; CREATE AWS::Scheduler::Schedule",
        "reconciliation without exports, reverted": "DESTROY AWS::CloudWatch::Alarm; DESTROY AWS::IAM::Policy; DESTROY AWS::IAM::Role; DESTROY AWS::Lambda::Function; DESTROY AWS::Logs::LogGroup; DESTROY AWS::S3::BucketPolicy; DESTROY AWS::Scheduler::Schedule; ORPHAN AWS::S3::Bucket",
        "reconciliation, applied": "CREATE AWS::Athena::NamedQuery; CREATE AWS::CloudWatch::Alarm; CREATE AWS::Glue::Table; CREATE AWS::IAM::Policy; CREATE AWS::IAM::Role; CREATE AWS::Lambda::Function; CREATE AWS::Logs::LogGroup; CREATE AWS::Scheduler::Schedule",
        "reconciliation, reverted": "DESTROY AWS::Athena::NamedQuery; DESTROY AWS::CloudWatch::Alarm; DESTROY AWS::Glue::Table; DESTROY AWS::IAM::Policy; DESTROY AWS::IAM::Role; DESTROY AWS::Lambda::Function; DESTROY AWS::Logs::LogGroup; DESTROY AWS::Scheduler::Schedule",
        "sessionEvents to another bus, applied": "DESTROY AWS::Events::EventBus",
        "sessionEvents to another bus, reverted": "CREATE AWS::Events::EventBus",
        "sessionEvents, applied": "CREATE AWS::CloudWatch::Alarm; CREATE AWS::Events::EventBus; CREATE AWS::IAM::Role; CREATE AWS::Pipes::Pipe; CREATE AWS::SQS::Queue; CREATE AWS::SQS::QueuePolicy",
        "sessionEvents, reverted": "DESTROY AWS::CloudWatch::Alarm; DESTROY AWS::Events::EventBus; DESTROY AWS::IAM::Role; DESTROY AWS::Pipes::Pipe; DESTROY AWS::SQS::Queue; DESTROY AWS::SQS::QueuePolicy",
        "the settings that each add another type, applied": "CREATE AWS::CloudWatch::Alarm; CREATE AWS::Logs::LogGroup; CREATE AWS::SNS::Subscription; CREATE AWS::WAFv2::WebACLAssociation; CREATE Custom::WebhookRegistration",
        "the settings that each add another type, reverted": "DESTROY AWS::CloudWatch::Alarm; DESTROY AWS::Logs::LogGroup; DESTROY AWS::SNS::Subscription; DESTROY AWS::WAFv2::WebACLAssociation; DESTROY Custom::WebhookRegistration",
        "timeZone, applied": "REPLACE AWS::Athena::NamedQuery",
        "timeZone, reverted": "REPLACE AWS::Athena::NamedQuery",
      }
    `);
  });
});
