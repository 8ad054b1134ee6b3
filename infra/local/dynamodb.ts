import type { Server } from 'node:http';
import dynalite from 'dynalite';

/** Creates a DynamoDB server: dynalite, plus ListExports, which it does not support, with an empty list. */
export function dynamodbServer(): Server {
  const server = dynalite({ createTableMs: 0 });
  const handlers = server.listeners('request');
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    if (request.headers['x-amz-target'] === 'DynamoDB_20120810.ListExports') {
      request.resume();
      response.writeHead(200, { 'Content-Type': 'application/x-amz-json-1.0' });
      response.end('{"ExportSummaries":[]}');
    } else {
      for (const handler of handlers) handler.call(server, request, response);
    }
  });
  return server;
}
