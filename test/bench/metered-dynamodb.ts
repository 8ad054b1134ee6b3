import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import * as v from 'valibot';
import { close, listenOnLoopback } from '../../infra/local/loopback.ts';

/** The number of requests to DynamoDB, and the consumed write units. */
export interface Metered {
  requests: number;
  writeUnits: number;
}

const Attributes = v.optional(v.record(v.string(), v.unknown()), {});

const Request = v.looseObject({ TableName: v.string(), Item: Attributes, Key: Attributes });

const Response = v.object({ ConsumedCapacity: v.object({ CapacityUnits: v.number() }) });

/**
 * A proxy in front of DynamoDB that meters the calls. It requests the consumed capacity of each call. A write whose
 * condition fails consumes the units of the existing item.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
 */
export async function meteredDynamoDb(endpoint: string) {
  let metered: Metered = { requests: 0, writeUnits: 0 };
  const unitsOf = new Map<string, number>();

  async function handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const request = v.parse(Request, await json(incoming));
    const target = String(incoming.headers['x-amz-target']);
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: {
        'x-amz-target': target,
        'content-type': 'application/x-amz-json-1.0',
        authorization: String(incoming.headers.authorization),
        'x-amz-date': String(incoming.headers['x-amz-date']),
      },
      body: JSON.stringify({ ...request, ReturnConsumedCapacity: 'TOTAL' }),
    });
    const text = await response.text();
    metered.requests++;
    if (/Put|Update/.test(target)) metered.writeUnits += unitsFor(request, response.ok ? text : undefined);
    outgoing.writeHead(response.status, { 'content-type': 'application/x-amz-json-1.0' }).end(text);
  }

  function unitsFor(
    { TableName, Item, Key }: v.InferOutput<typeof Request>,
    answer: string | undefined,
  ): number {
    const { sessionId, id } = { ...Item, ...Key };
    const item = JSON.stringify([TableName, sessionId ?? id]);
    if (answer !== undefined)
      unitsOf.set(item, v.parse(Response, JSON.parse(answer)).ConsumedCapacity.CapacityUnits);
    return unitsOf.get(item) ?? Number.NaN;
  }

  const server = createServer((incoming, outgoing) => {
    handle(incoming, outgoing).catch((error) => outgoing.destroy(error));
  });
  return {
    url: await listenOnLoopback(server, 0),
    /** Returns the totals since the last call. */
    take(): Metered {
      const taken = metered;
      metered = { requests: 0, writeUnits: 0 };
      return taken;
    },
    close: () => close(server),
  };
}
