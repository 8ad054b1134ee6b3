import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import * as v from 'valibot';
import type { LocalFunction } from './lambda.ts';

/** A REST API whose methods are integrated with functions. */
export interface Api {
  /** First part of every path. */
  stageName: string;
  /** Whether its binaryMediaTypes cover every request: then bodies are passed on in base64. */
  binary: boolean;
  methods: { method: string; path: string; target: LocalFunction }[];
}

const Response = v.object({
  statusCode: v.number(),
  headers: v.optional(v.record(v.string(), v.union([v.string(), v.number(), v.boolean()])), {}),
  body: v.optional(v.string(), ''),
});

/** API Gateway refuses a larger request itself. */
const MAX_REQUEST_BYTES = 10 * 1024 * 1024;

/** Serves an API as API Gateway does: proxy events in, and its own answers for what no method takes. */
export function apiGateway(api: Api, log: (line: string) => void): Server {
  return createServer(async (request, response) => {
    try {
      await serve(api, request, response);
    } catch (error) {
      log(`API Gateway answers 502: ${error instanceof Error ? error.message : error}`);
      answer(response, 502, { message: 'Internal server error' });
    }
  });
}

async function serve(api: Api, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [pathname = ''] = (request.url ?? '').split('?');
  const called = api.methods.find(
    ({ method, path }) => method === request.method && pathname === `/${api.stageName}${path}`,
  );
  if (!called) return answer(response, 403, { message: 'Missing Authentication Token' });
  const body = await readBody(request);
  if (!body) return answer(response, 413, { message: 'Request Too Long' });

  const result = v.parse(
    Response,
    await called.target.invoke(proxyEvent(request, pathname, body, api.binary)),
  );
  response.writeHead(
    result.statusCode,
    Object.fromEntries(Object.entries(result.headers).map(([name, value]) => [name, String(value)])),
  );
  response.end(result.body);
}

/** The body, unless it is too large; what is beyond the limit is not kept. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size <= MAX_REQUEST_BYTES) chunks.push(chunk);
  }
  return size > MAX_REQUEST_BYTES ? undefined : Buffer.concat(chunks);
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
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
