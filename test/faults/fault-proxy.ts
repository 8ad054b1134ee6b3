import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import * as v from 'valibot';
import { close, listenOnLoopback } from '../../infra/local/loopback.ts';

/** What a service, or the network before it, may do to a call. */
export type Fault =
  /** The service fails, without effect; or it fails and asks for a pause of a minute. */
  | 'error'
  | 'busy'
  /** The service is asked too much, without effect. */
  | 'throttle'
  /** The service refuses, without effect, and would again. */
  | 'refuse'
  /** The connection breaks before the call arrives; or after its effect, so that nobody knows of it. */
  | 'cut-before'
  | 'cut-after'
  /** The answer comes, but late; or it comes after the client has given up. */
  | 'slow'
  | 'late'
  /** No answer comes; or it begins, after the effect, and stops. */
  | 'silent'
  | 'stalled';

/** A call of a service of AWS, as its JSON protocols make it. */
export interface Call {
  /** What is asked for: `SendMessage`, `PutItem`. */
  operation: string;
  body: Buffer;
}

/** What a call asks for instead, where a test changes it: another body. */
export type Rewrite = (call: Call) => Buffer | undefined;

/**
 * Changes for how long a received message is hidden, so that no test waits for as long as the recorder does.
 *
 * @param secondsFor Is given the seconds that are asked for.
 */
export function visibilityRewrite(secondsFor: (asked: number) => number): Rewrite {
  return (call) => {
    const change = visibilityChange(call);
    if (change === undefined) return undefined;
    return Buffer.from(
      JSON.stringify({ ...change, VisibilityTimeout: secondsFor(change.VisibilityTimeout) }),
    );
  };
}

/** What a call asks for, if that is to hide a received message for some seconds from now. */
export function visibilityChange({ operation, body }: Call) {
  if (operation !== 'ChangeMessageVisibility') return undefined;
  return v.parse(VisibilityChange, JSON.parse(body.toString()));
}

const VisibilityChange = v.looseObject({ VisibilityTimeout: v.number() });

/** A service behind faults. */
export interface FaultProxy {
  /** Where to call it. */
  url: string;
  /** How many calls were passed on as they were, and how many had each fault. */
  counts: Map<Fault | 'passed on', number>;
  close(): Promise<void>;
}

const SLOW_MS = 400;

/**
 * A proxy before an emulator of AWS.
 *
 * @param next Is shown each call, and chooses its fault: none, where it is undefined.
 * @param rewrite Is shown each call that is passed on, and may change it.
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
    // A client that does not wait any longer is part of the game.
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
