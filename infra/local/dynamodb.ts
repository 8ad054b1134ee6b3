import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import { text } from 'node:stream/consumers';
import dynalite from 'dynalite';
import * as v from 'valibot';

/** DynamoDB on this machine: dynalite, with the requests about exports, which it does not support. */
export function dynamodbServer(): Server {
  const server = dynalite({ createTableMs: 0 });
  const handlers = server.listeners('request');
  const answerExports = exportRequests();
  server.removeAllListeners('request');
  server.on('request', async (request, response) => {
    const answer = answerExports[String(request.headers['x-amz-target']).replace('DynamoDB_20120810.', '')];
    if (answer === undefined) {
      for (const handler of handlers) handler.call(server, request, response);
      return;
    }
    const body = JSON.stringify(answer(await text(request)));
    response.writeHead(200, { 'Content-Type': 'application/x-amz-json-1.0' });
    response.end(body);
  });
  return server;
}

const ExportRequest = v.pipe(v.string(), v.parseJson(), v.looseObject({ TableArn: v.string() }));
const DescribeRequest = v.pipe(v.string(), v.parseJson(), v.object({ ExportArn: v.string() }));

/** Each export is complete immediately, but writes no files: that is what `npm run export` does. */
function exportRequests(): Readonly<Record<string, (body: string) => object>> {
  const exports = new Map<string, object>();
  return {
    ExportTableToPointInTime(body) {
      const request = v.parse(ExportRequest, body);
      const id = `${String(Date.now()).padStart(14, '0')}-${randomBytes(4).toString('hex')}`;
      const ExportArn = `${request.TableArn}/export/${id}`;
      const ExportDescription = {
        ExportType: 'FULL_EXPORT',
        ...request,
        ExportArn,
        ExportStatus: 'COMPLETED',
      };
      exports.set(ExportArn, ExportDescription);
      return { ExportDescription };
    },
    ListExports: () => ({ ExportSummaries: [...exports.values()] }),
    DescribeExport: (body) => ({ ExportDescription: exports.get(v.parse(DescribeRequest, body).ExportArn) }),
  };
}
