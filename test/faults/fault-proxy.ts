import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import * as v from 'valibot';
import { close, listenOnLoopback } from '../../infra/local/loopback.ts';

/** A fault of a service, or of the network between. */
export type Fault =
  /** The service fails without effect: with 500, or with 503 and a Retry-After of one minute. */
  | 'error'
  | 'busy'
  /** The service throttles the call, without effect. */
  | 'throttle'
  /** The service denies access, without effect. A retry does not help. */
  | 'refuse'
  /** The connection breaks before the call arrives, or after its effect and before the response. */
  | 'cut-before'
  | 'cut-after'
  /** The response is delayed: by less than the timeout of the client, or until the client has given up. */
  | 'slow'
  | 'late'
  /** The response never arrives, or stalls after the effect. */
  | 'silent'
  | 'stalled';

/** A call of an AWS service in one of its JSON protocols. */
export interface Call {
  /** For example `SendMessage` or `PutItem`. */
  operation: string;
  body: Buffer;
}

/** Returns another body for a call, or undefined to keep it. */
export type Rewrite = (call: Call) => Buffer | undefined;

/** Replaces the visibility timeouts that the recorder requests, so that tests do not wait for them. */
export function visibilityRewrite(secondsFor: (requested: number) => number): Rewrite {
  return (call) => {
    const change = visibilityChange(call);
    if (change === undefined) return undefined;
    return Buffer.from(
      JSON.stringify({ ...change, VisibilityTimeout: secondsFor(change.VisibilityTimeout) }),
    );
  };
}

/** The parsed body of a call if it is a ChangeMessageVisibility. */
export function visibilityChange({ operation, body }: Call) {
  if (operation !== 'ChangeMessageVisibility') return undefined;
  return v.parse(VisibilityChange, JSON.parse(body.toString()));
}

const VisibilityChange = v.looseObject({ VisibilityTimeout: v.number() });

/** A proxy that injects faults. */
export interface FaultProxy {
  url: string;
  /** The number of calls with each fault, and of those without. */
  counts: Map<Fault | 'passed on', number>;
  close(): Promise<void>;
}

const SLOW_MS = 400;

/**
 * Starts a proxy in front of an AWS emulator.
 *
 * @param next Chooses the fault of each call. Returns undefined for no fault.
 * @param rewrite Can change each call that is passed on.
 */
export async function faultProxy(
  target: string,
  next: (call: Call) => Fault | undefined,
  rewrite: Rewrite = () => undefined,
): Promise<FaultProxy> {
  const counts: FaultProxy['counts'] = new Map();
  const choose = (call: Call) => {
    const fault = next(call);
    counts.set(fault ?? 'passed on', (counts.get(fault ?? 'passed on') ?? 0) + 1);
    return fault;
  };
  const server = createServer((incoming, outgoing) => {
    // A client may close its connection while it waits, so errors are expected.
    handle(target, choose, rewrite, incoming, outgoing).catch(() => incoming.socket.destroy());
  });
  return { url: await listenOnLoopback(server, 0), counts, close: () => close(server) };
}

async function handle(
  target: string,
  choose: (call: Call) => Fault | undefined,
  rewrite: Rewrite,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const body = await buffer(incoming);
  const call = { operation: String(incoming.headers['x-amz-target']).replace(/^.*\./, ''), body };
  const fault = choose(call);
  if (fault === 'error') return answer(outgoing, 500, 'InternalServerError');
  if (fault === 'busy') return answer(outgoing.setHeader('Retry-After', '60'), 503, 'ServiceUnavailable');
  if (fault === 'throttle') return answer(outgoing, 400, 'ThrottlingException');
  if (fault === 'refuse') return answer(outgoing, 400, 'AccessDeniedException');
  if (fault === 'silent') return;
  if (fault === 'cut-before') return void incoming.socket.destroy();
  const response = await forward(target, incoming, rewrite(call) ?? body);
  if (fault === 'cut-after') return void incoming.socket.destroy();
  if (fault === 'stalled')
    return void outgoing.writeHead(response.status, response.headers).write(response.body.subarray(0, 9));
  if (fault === 'slow') await setTimeout(SLOW_MS);
  if (fault === 'late') return void (await once(outgoing, 'close'));
  outgoing.writeHead(response.status, response.headers).end(response.body);
}

function answer(outgoing: ServerResponse, status: number, type: string): void {
  outgoing
    .writeHead(status, { 'content-type': 'application/x-amz-json-1.0' })
    .end(JSON.stringify({ __type: `com.amazonaws#${type}`, message: 'An injected fault' }));
}

function forward(target: string, { method, url, headers }: IncomingMessage, body: Buffer) {
  const answered = Promise.withResolvers<{
    status: number;
    headers: IncomingMessage['headers'];
    body: Buffer;
  }>();
  const options = { method, headers: { ...headers, 'content-length': String(body.length) } };
  const outgoing = request(new URL(url ?? '/', target), options, (response) => {
    buffer(response).then(
      (text) =>
        answered.resolve({ status: response.statusCode ?? 502, headers: response.headers, body: text }),
      answered.reject,
    );
  });
  outgoing.on('error', answered.reject).end(body);
  return answered.promise;
}
