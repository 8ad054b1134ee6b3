import { GetTopicAttributesCommand, PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import type { DeployedStage } from '../stage/deployed-stage.ts';
import { proved, type Step } from './step.ts';

/** That the topic of the alarms takes messages, and whether it hands them on to anybody. */
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
          Message: `npm run smoke published this to test the topic of the alarms of ${stackName}. There is nothing to do.`,
        }),
      );
      const { Attributes } = await sns.send(new GetTopicAttributesCommand({ TopicArn }));
      const confirmed = Number(Attributes?.['SubscriptionsConfirmed'] ?? 0);
      const pending = Number(Attributes?.['SubscriptionsPending'] ?? 0);
      if (confirmed === 0) {
        note(
          pending > 0
            ? `nobody is told of alarms yet: subscriptions that wait for their confirmation: ${pending}`
            : 'nobody is told of alarms: set alarmEmail, or subscribe to the output AlarmTopicArn',
        );
      }
      return proved(`a test message is published; confirmed subscriptions: ${confirmed}`);
    },
  };
}
