import { App } from 'aws-cdk-lib';
import cdkJson from '../../cdk.json' with { type: 'json' };
import { addStages } from '../../infra/add-stages.ts';

/** A CDK app with the stages in cdk.json, and one with every option and the longest name. */

const arn = (service: string, rest: string) => `arn:aws:${service}:us-east-1:123456789012:${rest}`;

const everyOption = {
  ...cdkJson.context.stages.prod,
  subAccountIds: ['your_subaccount_with_every_option'],
  accessLogs: true,
  alarmEmail: 'ops@example.com',
  customDomain: { name: 'vss.example.com', certificateArn: arn('acm', 'certificate/a'), hostedZoneId: 'Z1' },
  customerManagedKey: true,
  noSessionsHours: 24,
  exportVersioning: true,
  permissionsBoundaryArn: 'arn:aws:iam::123456789012:policy/boundary',
  retentionDays: 90,
  sessionEvents: { outcomes: 'unsuccessful', phoneNumbers: true },
  tags: { team: 'voice' },
  webAclArn: arn('wafv2', 'regional/webacl/a/b'),
  webhookConcurrency: 100,
};
const stages = { ...cdkJson.context.stages, ['s'.repeat(20)]: everyOption };

addStages(new App({ postCliContext: { stages } }), Object.keys(stages));
