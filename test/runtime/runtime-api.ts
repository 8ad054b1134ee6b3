import { randomUUID } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import * as v from 'valibot';
import { functionArn } from '../../infra/local/lambda.ts';
import { close, listenOnLoopback } from '../../infra/local/loopback.ts';

/** An error as a runtime reports it, without its stack trace and with only the first line of its message. */
const ReportedError = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    errorType: v.string(),
    errorMessage: v.pipe(
      v.string(),
      v.transform((message) => message.replace(/\n.*/s, '')),
    ),
  }),
);
export interface Failed {
  error: v.InferOutput<typeof ReportedError>;
}

export interface Invocation {
  event: unknown;
  /** The trace header of Lambda's active tracing. Undefined if the invocation is not traced. */
  traceId?: string | undefined;
  timeoutMs: number;
}

/** Lambda's side of the Runtime API, for one execution environment. */
export interface RuntimeApi {
  /** Host and port, in the format of AWS_LAMBDA_RUNTIME_API. */
  address: string;
  /** Resolves when the runtime requests its first event, or reports an initialisation error. */
  initialised: Promise<'ready' | Failed>;
  /** Passes this event to the runtime as the next one. Resolves with its response or error. */
  invoke(invocation: Invocation): Promise<{ response: unknown } | Failed>;
  close(): Promise<void>;
}

/** @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html */
export async function runtimeApi(): Promise<RuntimeApi> {
  const initialised = Promise.withResolvers<'ready' | Failed>();
  let nextRequested = Promise.withResolvers<ServerResponse>();
  let completed = Promise.withResolvers<{ response: unknown } | Failed>();
  let requestId = '';

  const server = createServer(async ({ method, url }, response) => {
    const body = await text(response.req);
    switch (`${method} ${url}`) {
      case 'GET /2018-06-01/runtime/invocation/next':
        initialised.resolve('ready');
        return nextRequested.resolve(response);
      case 'POST /2018-06-01/runtime/init/error':
        initialised.resolve({ error: v.parse(ReportedError, body) });
        break;
      case `POST /2018-06-01/runtime/invocation/${requestId}/response`:
        completed.resolve({ response: JSON.parse(body) });
        break;
      case `POST /2018-06-01/runtime/invocation/${requestId}/error`:
        completed.resolve({ error: v.parse(ReportedError, body) });
        break;
      default:
        return response.writeHead(404).end();
    }
    response.writeHead(202).end();
  });

  return {
    address: new URL(await listenOnLoopback(server, 0)).host,
    initialised: initialised.promise,
    async invoke({ event, traceId, timeoutMs }) {
      const next = await nextRequested.promise;
      nextRequested = Promise.withResolvers();
      completed = Promise.withResolvers();
      requestId = randomUUID();
      next.writeHead(200, {
        'Content-Type': 'application/json',
        'Lambda-Runtime-Aws-Request-Id': requestId,
        'Lambda-Runtime-Deadline-Ms': String(Date.now() + timeoutMs),
        'Lambda-Runtime-Invoked-Function-Arn': functionArn('runtime'),
        ...(traceId !== undefined && { 'Lambda-Runtime-Trace-Id': traceId }),
      });
      next.end(JSON.stringify(event));
      return completed.promise;
    },
    close: () => close(server),
  };
}
