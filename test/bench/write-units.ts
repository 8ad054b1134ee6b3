import { randomUUID } from 'node:crypto';
import { batchEvent, newBody } from './events.ts';
import { startInvoker } from './invoker.ts';
import { type Metered, meteredDynamoDb } from './metered-dynamodb.ts';
import type { Services } from './services.ts';

/** The requests and the consumed write units of a bundle. */
export interface WriteUnits {
  new: Metered;
  duplicate: Metered;
  conflict: Metered;
}

/** Lets each bundle record a session, then a duplicate of its summary, then a conflicting one. */
export async function measureWriteUnits(
  bundles: readonly string[],
  { environment, dynamodbEndpoint }: Services,
): Promise<WriteUnits[]> {
  const meter = await meteredDynamoDb(dynamodbEndpoint);
  try {
    const measured: WriteUnits[] = [];
    for (const bundle of bundles) {
      const invoker = startInvoker(bundle, { ...environment, AWS_ENDPOINT_URL_DYNAMODB: meter.url });
      const consumed = async (body: string) => {
        await invoker.invoke([batchEvent([body])]);
        return meter.take();
      };
      const sessionId = randomUUID();
      const body = newBody(sessionId);
      try {
        measured.push({
          new: await consumed(body),
          duplicate: await consumed(body),
          conflict: await consumed(newBody(sessionId, '2030-01-01T00:00:00Z')),
        });
      } finally {
        invoker.stop();
      }
    }
    return measured;
  } finally {
    await meter.close();
  }
}
