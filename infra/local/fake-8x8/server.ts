import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import * as v from 'valibot';
import { type ApiAnswer, DroppedConnection } from './exchange.ts';
import type { Fake8x8 } from './fake-8x8.ts';
import { Switches } from './switches.ts';

/** The delay after which a `late` request takes effect. */
const LATE_MS = 30_000;

/** Serves the APIs of the fake 8x8, and the requests that control it. */
export function fake8x8Server(api: Fake8x8): Server {
  return createServer(async (request, response) => {
    try {
      await send(await answerTo(api, request), response);
    } catch (error) {
      if (error instanceof DroppedConnection) {
        setTimeout(() => api.settle(), LATE_MS).unref();
        request.socket.destroy();
      } else if (!response.headersSent) {
        response.writeHead(500).end(String(error));
      }
    }
  });
}

async function answerTo(api: Fake8x8, request: IncomingMessage): Promise<ApiAnswer> {
  const { method = '', url: path = '', headers } = request;
  const body = await text(request);
  const control = CONTROLS[`${method} ${path}`];
  if (control) return control(api, body);
  const origin = `http://${headers.host}`;
  return api.handle({ method, origin, path, authorization: headers.authorization, body });
}

async function send({ status, headers, body, content }: ApiAnswer, response: ServerResponse): Promise<void> {
  if (content) {
    response.writeHead(status, headers);
    return pipeline(Readable.from(content), response);
  }
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  response.end(body === undefined ? '' : JSON.stringify(body));
}

/** What is wrong with the switches. Valibot expects `never` for a key that the object does not have. */
function messageOf(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue) ?? 'body';
  return issue.expected === 'never' ? `unknown switch ${path}` : `${path}: ${issue.message}`;
}

/** Requests that are not part of 8x8's APIs. */
const CONTROLS: Readonly<Record<string, (api: Fake8x8, body: string) => ApiAnswer>> = {
  /** Sets the switches from a JSON object. Those that it does not contain return to their defaults. */
  'PUT /switches'(api, body) {
    const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), Switches), body);
    if (!parsed.success) {
      return { status: 400, body: { messages: parsed.issues.map(messageOf) } };
    }
    api.switches = parsed.output;
    return { status: 200, body: api.switches };
  },

  /** Adds a session, from the body that summarizes it, without delivering the body. */
  'POST /sessions'(api, body) {
    return { status: api.sessions.add(body) ? 204 : 400 };
  },
};
