import { createServer, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { functionArn, type LocalFunction } from './lambda.ts';

/** Simulates the Lambda API: only Invoke, which `npx vss-webhook doctor` and `npx vss-webhook smoke` use. */
export function lambdaApi(functions: ReadonlyMap<string, LocalFunction>): Server {
  return createServer(async (request, response) => {
    const body = await text(request);
    const [, name = ''] = /^\/2015-03-31\/functions\/([^/]+)\/invocations/.exec(request.url ?? '') ?? [];
    const target = functions.get(functionArn(decodeURIComponent(name)));
    if (request.method !== 'POST' || !target) {
      response.writeHead(404, { 'X-Amzn-ErrorType': 'ResourceNotFoundException' });
      response.end(JSON.stringify({ message: `Function not found: ${name}` }));
      return;
    }
    try {
      response.end(JSON.stringify((await target.invoke(JSON.parse(body))) ?? null));
    } catch (error) {
      response.setHeader('X-Amz-Function-Error', 'Unhandled');
      response.end(JSON.stringify({ errorMessage: error instanceof Error ? error.message : String(error) }));
    }
  });
}
