import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { BlockList, isIP } from 'node:net';
import * as v from 'valibot';
import type { Invocable } from './lambda.ts';

/** A REST API whose methods are integrated with functions. */
export interface Api {
  /** The first segment of every path. */
  stageName: string;
  /** Whether binaryMediaTypes matches every request. If so, bodies are passed on in base64. */
  binary: boolean;
  /** The addresses that the resource policy allows. */
  allowed: BlockList;
  /** The gateway responses by type, with which the API answers without invoking a function. */
  responses: Map<string, GatewayResponse>;
  methods: { method: string; path: string; target: Invocable }[];
}

/** A response of API Gateway itself. Has no status if it is the default for several types. */
export interface GatewayResponse {
  status?: number | undefined;
  headers: Record<string, string>;
  template: string;
}

/** The response to the client. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

const Response = v.object({
  statusCode: v.number(),
  headers: v.optional(v.record(v.string(), v.union([v.string(), v.number(), v.boolean()])), {}),
  body: v.optional(v.string(), ''),
});

/** Parses the addresses and CIDR ranges that a resource policy allows. */
export function allowedAddresses(ranges: readonly string[]): BlockList {
  const allowed = new BlockList();
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    allowed.addSubnet(
      address,
      prefix === undefined ? (family === 'ipv6' ? 128 : 32) : Number(prefix),
      family,
    );
  }
  return allowed;
}

/** API Gateway rejects larger requests. */
const MAX_REQUEST_BYTES = 10 * 1024 * 1024;

/** Lambda rejects larger events, which contain the body in base64. API Gateway then answers as for its own limit. */
const MAX_EVENT_BYTES = 6 * 1024 * 1024;

/** Serves an API as API Gateway does, with proxy events and gateway responses. */
export function apiGateway(
  api: Api,
  log: (line: string) => void,
  onAnswer: (answer: Answer) => void = () => {},
): Server {
  return createServer(async (request, response) => {
    const { status, headers, body } = await answerTo(api, request).catch((error: unknown) => {
      log(`API Gateway answers 502: ${error instanceof Error ? error.message : error}`);
      return gatewayAnswer(api, 'DEFAULT_5XX', 502);
    });
    // The client has closed the connection.
    if (response.destroyed) return;
    response.writeHead(status, headers);
    response.end(body);
    onAnswer({ status, headers, body });
  });
}

async function answerTo(api: Api, request: IncomingMessage): Promise<Answer> {
  const [pathname = ''] = (request.url ?? '').split('?');
  const called = api.methods.find(
    ({ method, path }) => method === request.method && pathname === `/${api.stageName}${path}`,
  );
  if (!called) return gatewayAnswer(api, 'MISSING_AUTHENTICATION_TOKEN', 403);
  const { remoteAddress = '' } = request.socket;
  if (!api.allowed.check(remoteAddress, isIP(remoteAddress) === 6 ? 'ipv6' : 'ipv4'))
    return gatewayAnswer(api, 'ACCESS_DENIED', 403);
  const body = await readBody(request);
  if (!body) return gatewayAnswer(api, 'REQUEST_TOO_LARGE', 413);

  const event = proxyEvent(request, pathname, body, api.binary);
  if (JSON.stringify(event).length > MAX_EVENT_BYTES) return gatewayAnswer(api, 'REQUEST_TOO_LARGE', 413);
  const { statusCode, headers, body: answered } = v.parse(Response, await called.target.invoke(event));
  const texts = Object.entries(headers).map(([name, value]) => [name, String(value)]);
  return { status: statusCode, headers: Object.fromEntries(texts), body: answered };
}

/** Reads the body. Returns undefined if it exceeds the limit, and does not buffer the excess. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size <= MAX_REQUEST_BYTES) chunks.push(chunk);
  }
  return size > MAX_REQUEST_BYTES ? undefined : Buffer.concat(chunks);
}

function gatewayAnswer({ responses }: Api, type: string, status: number): Answer {
  const {
    headers,
    template,
    status: own,
  } = responses.get(type) ?? {
    headers: {},
    template: '{"message":"No gateway response"}',
  };
  return {
    status: own ?? status,
    headers,
    body: template.replaceAll('$context.requestId', randomUUID()),
  };
}

/** The event of a Lambda proxy integration of a REST API. */
function proxyEvent(request: IncomingMessage, path: string, body: Buffer, binary: boolean) {
  const headers: Record<string, string> = {};
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    headers[request.rawHeaders[i] ?? ''] = request.rawHeaders[i + 1] ?? '';
  }
  return {
    httpMethod: request.method,
    path,
    headers,
    body: body.length === 0 ? null : body.toString(binary ? 'base64' : 'utf8'),
    isBase64Encoded: binary && body.length > 0,
    requestContext: {
      requestId: randomUUID(),
      requestTimeEpoch: Date.now(),
      identity: { sourceIp: request.socket.remoteAddress },
    },
  };
}
