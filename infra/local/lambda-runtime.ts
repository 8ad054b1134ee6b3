// The runtime in the process of a function: loads the bundle, then handles one event after the other. `lambda.ts` starts
// it with the path of the bundle as its argument.

import { pathToFileURL } from 'node:url';

type Handler = (event: unknown, context: object) => Promise<unknown>;

const [bundle = ''] = process.argv.slice(2);
const { handler }: { handler: Handler } = await import(pathToFileURL(bundle).href);

// A terminal sends Ctrl-C to all its processes. The local stack stops this one after it has finished its work.
process.on('SIGINT', () => {});

process.on('message', async ({ requestId, event }: { requestId: string; event: unknown }) => {
  const context = { awsRequestId: requestId, functionName: process.env['AWS_LAMBDA_FUNCTION_NAME'] };
  try {
    process.send?.({ requestId, result: await handler(event, context) });
  } catch (error) {
    process.send?.({ requestId, error: String(error) });
  }
});

process.send?.('ready');
