import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import { text } from 'node:stream/consumers';
import dynalite from 'dynalite';
import * as v from 'valibot';
import { reasonOf } from '../terminal/reason-of.ts';
import { StreamNotFoundError, type TableStreams } from './table-streams.ts';

/** DynamoDB on this machine: dynalite, with what it does not support: the requests about exports, and streams. */
export function dynamodbServer(streams: TableStreams): Server {
  const server = dynalite({ createTableMs: 0 });
  const handlers = server.listeners('request');
  const answers = { ...exportRequests(), ...streams.requests };
  server.removeAllListeners('request');
  server.on('request', async (request, response) => {
    const operation = String(request.headers['x-amz-target']).split('.').at(-1) ?? '';
    const answer = answers[operation];
    if (answer === undefined) {
      streams.observe(operation, request, response);
      for (const handler of handlers) handler.call(server, request, response);
      return;
    }
    const { status, body } = tried(answer, await text(request));
    response.writeHead(status, { 'Content-Type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify(body));
  });
  return server;
}

/** The response to a request. */
function tried(answer: (body: string) => object, request: string): { status: number; body: object } {
  try {
    return { status: 200, body: answer(request) };
  } catch (error) {
    const __type = error instanceof StreamNotFoundError ? 'ResourceNotFoundException' : 'ValidationException';
    return { status: 400, body: { __type, message: reasonOf(error) } };
  }
}

const ExportRequest = v.pipe(v.string(), v.parseJson(), v.looseObject({ TableArn: v.string() }));
const DescribeRequest = v.pipe(v.string(), v.parseJson(), v.object({ ExportArn: v.string() }));

/** Each export is complete immediately, but writes no files: that is what `npx vss-webhook export` does. */
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
