import {
  type EventBridgeClient,
  PutEventsCommand,
  type PutEventsRequestEntry,
} from '@aws-sdk/client-eventbridge';

/** Publishes an event. @throws Error if the event bus does not accept it. */
export async function putEvent(events: EventBridgeClient, entry: PutEventsRequestEntry): Promise<void> {
  const { Entries = [] } = await events.send(new PutEventsCommand({ Entries: [entry] }));
  for (const { ErrorCode, ErrorMessage } of Entries)
    if (ErrorCode !== undefined) throw new Error(`${ErrorCode}: ${ErrorMessage}`);
}
