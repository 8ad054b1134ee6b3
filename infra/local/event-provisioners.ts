import { PublishCommand } from '@aws-sdk/client-sns';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import * as v from 'valibot';
import { busNameOf, type Rule } from './event-bus.ts';
import { EventPattern } from './event-pattern.ts';
import { PipeProperties } from './pipe.ts';
import { type Provisioner, type ProvisioningContext, queueUrlOf } from './provisioning-context.ts';
import { ACCOUNT, REGION } from './template.ts';

/** The provisioners of event buses, their rules, and pipes. */
export const EVENT_PROVISIONERS: Readonly<Record<string, Provisioner>> = {
  async 'AWS::Events::EventBus'({ eventBridge }, properties) {
    const { Name } = v.parse(v.object({ Name: v.string() }), properties);
    eventBridge.busNames.add(Name);
    return { ref: Name, attributes: { Arn: `arn:aws:events:${REGION}:${ACCOUNT}:event-bus/${Name}` } };
  },

  async 'AWS::Events::Rule'(context, properties, logicalId) {
    const {
      EventBusName,
      EventPattern: pattern,
      Targets,
    } = v.parse(
      v.strictObject({
        Name: v.optional(v.string()),
        Description: v.optional(v.string()),
        State: v.optional(v.literal('ENABLED')),
        EventBusName: v.string(),
        EventPattern,
        // Their own retries and dead letters have no effect here: the emulators do not fail.
        Targets: v.array(
          v.strictObject({
            Id: v.string(),
            Arn: v.string(),
            DeadLetterConfig: v.optional(v.unknown()),
            RetryPolicy: v.optional(v.unknown()),
          }),
        ),
      }),
      properties,
    );
    if (!context.eventBridge.busNames.has(busNameOf(EventBusName)))
      throw new Error(`The rule ${logicalId} is for the event bus ${EventBusName}, which does not exist.`);
    const targets = Targets.map(({ Arn }) => targetOf(context, Arn));
    context.eventBridge.rules.push({ busName: busNameOf(EventBusName), pattern, targets });
    const Arn = `arn:aws:events:${REGION}:${ACCOUNT}:rule/${busNameOf(EventBusName)}/${logicalId}`;
    return { ref: logicalId, attributes: { Arn } };
  },

  async 'AWS::Pipes::Pipe'(context, properties, logicalId) {
    const parsed = v.parse(PipeProperties, properties);
    const { DeadLetterConfig } = parsed.SourceParameters.DynamoDBStreamParameters;
    const name = `${context.stackName}-${logicalId}`;
    const deadLetterQueueUrl = queueUrlOf(context, DeadLetterConfig.Arn);
    // An existing bus of the settings is not in the template.
    context.eventBridge.busNames.add(busNameOf(parsed.Target));
    context.pipes.set(name, { name, properties: parsed, deadLetterQueueUrl });
    return { ref: name };
  },
};

/** Delivers events to a queue or topic. */
function targetOf(context: ProvisioningContext, arn: string): Rule['targets'][number] {
  if (arn.startsWith('arn:aws:sns:'))
    return (event) => context.sns.send(new PublishCommand({ TopicArn: arn, Message: JSON.stringify(event) }));
  const QueueUrl = queueUrlOf(context, arn);
  return (event) =>
    context.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(event) }));
}
