import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import * as v from 'valibot';
import { urlOf } from './deployed-stage.ts';

/** The answers of services without an emulator. */
export interface Answers {
  /** The statuses that DescribeExport returns, one per call; the last one repeats. */
  exportStatuses: string[];
  /** Whether the export writes its manifest. */
  writesManifest: boolean;
  /** The final state of a query. */
  queryState: 'SUCCEEDED' | 'FAILED';
}

const ExportRequest = v.looseObject({ S3Bucket: v.string(), S3Prefix: v.string() });

/** The id of the query that Athena runs. */
const QUERY_ID = '11111111-2222-3333-4444-555555555555';

const EXPORT_ARN = 'arn:aws:dynamodb:us-east-1:000000000000:table/t/export/01';

/**
 * Stubs the operations of Athena, S3 and DynamoDB exports that smoke tests use, behind one URL. Forwards all other
 * DynamoDB operations to an emulator.
 */
export async function analyticsStubs(dynamodb: string, { exportStatuses, ...answers }: Answers) {
  /** Keys of the objects in the bucket. */
  const objects = new Set<string>();
  const asked: Record<string, unknown> = {};
  let prefix = '';
  const statuses = [...exportStatuses];
  const manifest = () => `${prefix}/AWSDynamoDB/01/manifest-summary.json`;

  const operations: Readonly<Record<string, (request: unknown) => object>> = {
    ExportTableToPointInTime(request) {
      prefix = v.parse(ExportRequest, request).S3Prefix;
      objects.add(`${prefix}/AWSDynamoDB/01/data/x.json.gz`);
      if (answers.writesManifest) objects.add(manifest());
      return { ExportDescription: { ExportArn: EXPORT_ARN, ExportStatus: 'IN_PROGRESS' } };
    },
    DescribeExport() {
      const [status] = statuses.length > 1 ? statuses.splice(0, 1) : statuses;
      const failure = { FailureCode: 'S3AccessDenied', FailureMessage: 'no access' };
      return {
        ExportDescription: {
          ExportArn: EXPORT_ARN,
          ExportStatus: status,
          ExportManifest: manifest(),
          ItemCount: 7,
          ...(status === 'FAILED' && failure),
        },
      };
    },
    StartQueryExecution() {
      for (const ending of ['csv', 'csv.metadata']) objects.add(`results/${QUERY_ID}.${ending}`);
      return { QueryExecutionId: QUERY_ID };
    },
    GetQueryExecution: () => ({
      QueryExecution: { Status: { State: answers.queryState, StateChangeReason: 'line 1:1: no such view' } },
    }),
    GetQueryResults: () => ({
      ResultSet: { Rows: ['_col0', '42'].map((value) => ({ Data: [{ VarCharValue: value }] })) },
    }),
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const target = request.headers['x-amz-target'];
    const name = String(target).replace(/^.*\./, '');
    const operation = operations[name];
    if (operation) {
      asked[name] = JSON.parse(body);
      response.end(JSON.stringify(operation(asked[name])));
    } else if (target !== undefined) {
      const passedOn = await fetch(dynamodb, { method: 'POST', headers: headersOf(request), body });
      response.writeHead(passedOn.status, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(await passedOn.text());
    } else {
      response.setHeader('content-type', 'application/xml');
      response.end(bucket(objects, new URL(request.url ?? '/', 'http://bucket'), body));
    }
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error) => response.destroy(error));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = urlOf(server);
  return {
    environment: {
      AWS_ENDPOINT_URL_ATHENA: url,
      AWS_ENDPOINT_URL_DYNAMODB: url,
      AWS_ENDPOINT_URL_S3: url,
    },
    objects,
    /** The latest request for each operation. */
    asked,
    async [Symbol.asyncDispose]() {
      server.close();
    },
  };
}

/** Stubs an S3 bucket that is encrypted with a KMS key. */
function bucket(objects: Set<string>, { searchParams }: URL, body: string): string {
  if (searchParams.has('encryption')) {
    return '<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>the-key</KMSMasterKeyID></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>';
  }
  if (searchParams.has('versions')) {
    const found = [...objects].filter((key) => key.startsWith(searchParams.get('prefix') ?? ''));
    const versions = found.map((key) => `<Version><Key>${key}</Key><VersionId>1</VersionId></Version>`);
    return `<ListVersionsResult>${versions.join('')}</ListVersionsResult>`;
  }
  if (!searchParams.has('delete')) throw new Error('The S3 stub does not support this request');
  for (const [, key = ''] of body.matchAll(/<Key>(.*?)<\/Key><VersionId>1<\/VersionId>/g))
    objects.delete(key);
  return '<DeleteResult></DeleteResult>';
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    ['authorization', 'content-type', 'x-amz-target', 'x-amz-date'].map((name) => [
      name,
      String(headers[name]),
    ]),
  );
}
