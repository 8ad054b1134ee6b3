import { pathToFileURL } from 'node:url';

/**
 * Runs in the process of one function, in the place of Lambda's own runtime: loads the bundle, then answers one
 * event after the other. Started by `lambda.ts` with the bundle as its argument.
 */
type Handler = (event: unknown, context: object) => Promise<unknown>;

const [bundle = ''] = process.argv.slice(2);
const { handler }: { handler: Handler } = await import(pathToFileURL(bundle).href);

// Ctrl-C in a terminal reaches every process of it; the local stack ends this one when its work is done.
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
