// The runtime in the process of a function: loads the bundle, then handles one event after the other. `lambda.ts` starts
// it with the path of the bundle as its argument. It is JavaScript, because loading Node's type stripping would take a
// third of the time in which a function starts.

import { pathToFileURL } from 'node:url';

const [bundle = ''] = process.argv.slice(2);
/** @type {{ handler: (event: unknown, context: object) => Promise<unknown> }} */
const { handler } = await import(pathToFileURL(bundle).href);

// A terminal sends Ctrl-C to all its processes. The local stack stops this one after it has finished its work.
process.on('SIGINT', () => {});

process.on(
  'message',
  /** @param {{ requestId: string, event: unknown }} message */
  async ({ requestId, event }) => {
    const context = { awsRequestId: requestId, functionName: process.env['AWS_LAMBDA_FUNCTION_NAME'] };
    try {
      process.send?.({ requestId, result: await handler(event, context) });
    } catch (error) {
      process.send?.({ requestId, error: String(error) });
    }
  },
);

process.send?.('ready');
