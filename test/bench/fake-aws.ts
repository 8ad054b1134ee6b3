import { hash } from 'node:crypto';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import * as v from 'valibot';
import { digestOf } from '../../functions/authorization/digest.ts';
import { close, listenOnLoopback } from '../../infra/local/loopback.ts';
import { REGION } from '../../infra/local/template.ts';
import { AUTHORIZATION } from './events.ts';

const Request = v.pipe(v.string(), v.parseJson(), v.looseObject({ MessageBody: v.optional(v.string()) }));

/**
 * A server that accepts every SendMessage and PutItem, in much less time than the emulators, so that the CPU is left to
 * the measured functions. `environment` has the variables that they need, and `lastRequest` returns the last call.
 */
export async function startFakeAws() {
  let lastRequest: v.InferOutput<typeof Request> = {};
  const server = createServer(async (request, response) => {
    lastRequest = v.parse(Request, await text(request));
    const { MessageBody } = lastRequest;
    const answer =
      MessageBody === undefined
        ? {}
        : { MessageId: 'message', MD5OfMessageBody: hash('md5', MessageBody, 'hex') };
    response.setHeader('Content-Type', 'application/x-amz-json-1.0');
    response.end(JSON.stringify(answer));
  });
  const url = await listenOnLoopback(server, 0);
  return {
    lastRequest: () => lastRequest,
    /** The variables that a stack sets, those that Lambda sets, and the endpoints of AWS. */
    environment: {
      QUEUE_URL: `${url}/000000000000/queue`,
      DEAD_LETTER_QUEUE_URL: `${url}/000000000000/dead-letters`,
      TABLE_NAME: 'sessions',
      AUTHORIZATION_DIGESTS: digestOf(AUTHORIZATION),
      SUB_ACCOUNT_IDS: '8x8_test',
      POWERTOOLS_SERVICE_NAME: 'bench',
      AWS_REGION: REGION,
      AWS_LAMBDA_FUNCTION_NAME: 'bench',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_ENDPOINT_URL: url,
    },
    stop: () => close(server),
  };
}

export type FakeAws = Awaited<ReturnType<typeof startFakeAws>>;
