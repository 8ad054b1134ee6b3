import { randomUUID } from 'node:crypto';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import * as v from 'valibot';
import type { Request } from '../../../functions/webhook/receive.ts';
import type { DeployedStage } from '../stage/deployed-stage.ts';

/** The webhook's answer to a delivery. */
export interface Answer {
  status: number;
  /** The type of the problem, if the answer is a problem document. */
  problem?: string | undefined;
  /** The request id in the answer; a dead letter has the same one. */
  requestId?: string | undefined;
  sessionId?: string | undefined;
}

/** How a delivery reaches the webhook function. */
export interface Route {
  /** Names what answers, for messages. */
  name: string;
  deliver(body: string): Promise<Answer>;
}

/** Delivers as 8x8 does, with a request to the registered URL. */
export function throughApiGateway({ webhookUrl }: DeployedStage, authorization: string): Route {
  return {
    name: webhookUrl,
    async deliver(body) {
      const response = await fetch(webhookUrl, {
        method: 'POST',
        headers: { Authorization: authorization, 'Content-Type': 'application/json' },
        body,
        redirect: 'manual',
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      return answerOf(response.status, await response.text());
    },
  };
}

/** Longer than API Gateway's limit of 29 seconds. */
const REQUEST_TIMEOUT_MS = 35_000;

/** Delivers as API Gateway does: invokes the function with the event of a proxy integration. */
export function throughLambda(
  { settings, outputs, webhookUrl }: DeployedStage,
  authorization: string,
): Route {
  const client = new LambdaClient(settings('lambda'));
  const FunctionName = outputs.WebhookFunctionName;
  return {
    name: `the function ${FunctionName}`,
    async deliver(body) {
      const event: Request & { httpMethod: string; path: string } = {
        httpMethod: 'POST',
        path: new URL(webhookUrl).pathname,
        headers: { Authorization: authorization, 'Content-Type': 'application/json' },
        body: Buffer.from(body).toString('base64'),
        isBase64Encoded: true,
        requestContext: { requestId: randomUUID(), requestTimeEpoch: Date.now() },
      };
      const { Payload, FunctionError } = await client.send(
        new InvokeCommand({ FunctionName, Payload: JSON.stringify(event) }),
      );
      const result: unknown = JSON.parse(Payload?.transformToString() ?? 'null');
      if (FunctionError) throw new Error(`${FunctionName} failed: ${Object(result).errorMessage}`);
      const { statusCode, body: answered } = v.parse(ProxyResult, result);
      return answerOf(statusCode, answered);
    },
  };
}

const ProxyResult = v.object({ statusCode: v.number(), body: v.string() });

const AnswerBody = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    type: v.optional(v.string()),
    requestId: v.optional(v.string()),
    sessionId: v.optional(v.string()),
  }),
);

/** Parses an answer: a 200 with the session id, or a problem document. Any other body yields only the status. */
export function answerOf(status: number, body: string): Answer {
  const parsed = v.safeParse(AnswerBody, body);
  if (!parsed.success) return { status };
  const { type, requestId, sessionId } = parsed.output;
  return { status, problem: type?.replace(/^urn:problem:vss-webhook:/, ''), requestId, sessionId };
}

/** Describes an answer for messages, with advice if there is any. */
export function describeAnswer({ status, problem }: Answer): string {
  const hint = HINTS[problem ?? ''];
  return [`${status}${problem === undefined ? '' : ` ${problem}`}`, ...(hint ? [hint] : [])].join(': ');
}

const HINTS: Readonly<Record<string, string>> = {
  unauthorized: 'the webhook does not accept the value in AuthorizationSecretArn; deploy the stage again',
  'unknown-subaccount':
    'the sub-accounts of the webhook differ from the output SubAccountIds; deploy the stage again',
  'not-found': 'the API has no such path; deploy the stage again',
  refused: 'API Gateway rejected the request; check whether a web ACL (webAclArn) blocks this address',
  'too-many-requests': 'the stage receives more requests than throttlingRate allows; try again later',
  unavailable: "the function failed; see the webhook's log",
  'queue-unavailable': "SQS did not accept the message; see the webhook's log",
};

/**
 * Delivers a body.
 *
 * @param onNotStored Called if the answer or error proves that the delivery is in neither queue.
 */
export async function deliver(route: Route, body: string, onNotStored: () => void): Promise<Answer> {
  try {
    const answer = await route.deliver(body);
    if (!mayBeStored(answer)) onNotStored();
    return answer;
  } catch (error) {
    if (isNotDelivered(error)) onNotStored();
    throw error;
  }
}

/** Accepted deliveries and those answered 400 or 422 are in a queue. After a 5xx, the delivery may be in a queue. */
function mayBeStored({ status }: Answer): boolean {
  return status < 300 || status === 400 || status === 422 || status >= 500;
}

/** Whether the request did not reach the function: the connection failed, or AWS rejected the call. */
function isNotDelivered(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('$fault' in error) return error.$fault === 'client';
  return (
    error.cause instanceof Error && 'code' in error.cause && NO_CONNECTION.test(String(error.cause.code))
  );
}

/** Error codes of DNS resolution, connecting, and certificate validation. */
const NO_CONNECTION =
  /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|ERR_TLS_.*|CERT_.*|DEPTH_ZERO_.*|SELF_SIGNED_.*|UNABLE_TO_.*)$/;
