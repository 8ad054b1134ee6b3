import { createServer, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import * as v from 'valibot';
import { DroppedConnection, type Fake8x8, Switches } from './fake-8x8.ts';

/** PUT with a JSON object sets the switches. Switches that the object does not contain return to their defaults. */
const SWITCHES_PATH = '/switches';

/** The delay after which a `late` request takes effect. */
const LATE_MS = 30_000;

/** Serves the API of the fake 8x8, and its switches. */
export function fake8x8Server(api: Fake8x8): Server {
  return createServer(async (request, response) => {
    const { method = '', url: path = '', headers } = request;
    const body = await text(request);
    try {
      const answer =
        method === 'PUT' && path === SWITCHES_PATH
          ? setSwitches(api, body)
          : await api.handle({ method, path, authorization: headers.authorization, body });
      response.writeHead(answer.status, { 'Content-Type': 'application/json', ...answer.headers });
      response.end(answer.body === undefined ? '' : JSON.stringify(answer.body));
    } catch (error) {
      if (error instanceof DroppedConnection) {
        setTimeout(() => api.settle(), LATE_MS).unref();
        request.socket.destroy();
      } else {
        response.writeHead(500).end(String(error));
      }
    }
  });
}

function setSwitches(api: Fake8x8, body: string) {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), Switches), body);
  if (!parsed.success) {
    const messages = parsed.issues.map((issue) => `${v.getDotPath(issue) ?? 'body'}: ${issue.message}`);
    return { status: 400, headers: {}, body: { messages } };
  }
  api.switches = parsed.output;
  return { status: 200, headers: {}, body: api.switches };
}
