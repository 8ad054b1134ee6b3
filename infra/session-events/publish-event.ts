import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import * as v from 'valibot';
import { evaluateTemplate, isSupportedTemplate, valueAt } from './input-template.ts';

/** The properties of a pipe that determine the events, as in a template and in the answer of DescribePipe. */
export const PublishingPipe = v.object({
  /** The ARN of the event bus. */
  Target: v.string(),
  TargetParameters: v.object({
    EventBridgeEventBusParameters: v.object({ Source: v.string(), DetailType: v.string() }),
    InputTemplate: v.pipe(
      v.string(),
      v.check(isSupportedTemplate, 'this input template is not supported on this machine'),
    ),
  }),
});
type PublishingPipe = v.InferOutput<typeof PublishingPipe>;

/**
 * Publishes the event that a pipe makes of a record of a stream.
 *
 * @throws Error if the event bus does not accept the event.
 */
export async function publishEvent(
  events: EventBridgeClient,
  { Target, TargetParameters }: PublishingPipe,
  record: unknown,
): Promise<void> {
  const { EventBridgeEventBusParameters: parameters, InputTemplate } = TargetParameters;
  const { Entries = [] } = await events.send(
    new PutEventsCommand({
      Entries: [
        {
          EventBusName: Target,
          Source: parameters.Source,
          DetailType: String(valueAt(parameters.DetailType, record)),
          Detail: JSON.stringify(evaluateTemplate(InputTemplate, record)),
        },
      ],
    }),
  );
  for (const { ErrorCode, ErrorMessage } of Entries)
    if (ErrorCode !== undefined) throw new Error(`${ErrorCode}: ${ErrorMessage}`);
}
