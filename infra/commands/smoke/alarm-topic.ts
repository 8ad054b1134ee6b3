import { GetTopicAttributesCommand, PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import type { DeployedStage } from '../stage/deployed-stage.ts';
import { passed, type Step } from './step.ts';

/** Tests that the alarm topic accepts messages, and warns if it has no confirmed subscription. */
export function alarmTopicStep({ settings, outputs, stackName }: DeployedStage): Step {
  const sns = new SNSClient(settings('sns'));
  const TopicArn = outputs.AlarmTopicArn;
  return {
    name: 'alarm topic',
    needs: [],
    async run(note) {
      await sns.send(
        new PublishCommand({
          TopicArn,
          Subject: `Test message of ${stackName}`,
          Message: `npx vss-webhook smoke published this message to test the alarm topic of ${stackName}. No action is required.`,
        }),
      );
      const { Attributes } = await sns.send(new GetTopicAttributesCommand({ TopicArn }));
      const confirmed = Number(Attributes?.['SubscriptionsConfirmed'] ?? 0);
      const pending = Number(Attributes?.['SubscriptionsPending'] ?? 0);
      if (confirmed === 0) {
        note(
          pending > 0
            ? `alarms notify nobody yet: ${pending} subscription(s) not confirmed`
            : 'alarms notify nobody: set alarmEmail, or subscribe to the output AlarmTopicArn',
        );
      }
      return passed(`published a test message; confirmed subscriptions: ${confirmed}`);
    },
  };
}
