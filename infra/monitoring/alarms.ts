import { CfnOutput, Stack, Validations } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { AlarmsProps } from './alarm-definition.ts';
import { alarmDefinitions } from './alarm-definitions.ts';

/** The alarms of a stage, and the topic that they notify. */
export class Alarms extends Construct {
  readonly alarms: readonly Alarm[];

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    const topic = this.#topic(props);
    this.alarms = Object.entries(alarmDefinitions(this, props)).map(([name, definition]) => {
      const {
        metric,
        threshold,
        isLow,
        periods = 1,
        outOf = periods,
        missing,
        means,
        risk,
        first,
      } = definition;
      const alarm = new Alarm(this, name, {
        alarmName: `${Stack.of(this).stackName}-${name}`,
        alarmDescription: `${means} At risk: ${risk} First: ${first}`,
        metric,
        threshold,
        comparisonOperator: isLow
          ? ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD
          : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        datapointsToAlarm: periods,
        evaluationPeriods: outOf,
        treatMissingData: missing ?? TreatMissingData.NOT_BREACHING,
      });
      alarm.addAlarmAction(new SnsAction(topic));
      alarm.addOkAction(new SnsAction(topic));
      return alarm;
    });
  }

  #topic({ key, settings }: AlarmsProps): Topic {
    const topic = new Topic(this, 'Topic', {
      displayName: `Alarms of ${Stack.of(this).stackName}`,
      masterKey: key,
      enforceSSL: true,
    });
    // A topic policy replaces the default policy of SNS, which would let the account's alarms publish.
    topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
    if (settings.alarmEmail !== undefined) {
      const subscription = topic.addSubscription(new EmailSubscription(settings.alarmEmail));
      Validations.of(subscription).acknowledge({
        id: 'Serverless::Serverless-SNSRedrivePolicy',
        reason:
          'SNS hands e-mail over immediately. If an e-mail is lost, the console and the dashboard still show the alarm.',
      });
    }
    new CfnOutput(this, 'TopicArn', {
      key: 'AlarmTopicArn',
      value: topic.topicArn,
      description: 'Topic that alarms notify; subscribe your paging tool to it',
    });
    return topic;
  }
}
