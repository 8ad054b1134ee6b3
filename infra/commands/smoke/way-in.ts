import { randomUUID } from 'node:crypto';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import * as v from 'valibot';
import type { Request } from '../../../functions/webhook/receive.ts';
import type { DeployedStage } from '../stage/deployed-stage.ts';

/** What is answered to a delivery. */
export interface Answer {
  status: number;
  /** The name of the problem, where the answer is a problem document. */
  problem?: string | undefined;
  /** Of the request, as the answer says it; a dead letter has the same. */
  requestId?: string | undefined;
  sessionId?: string | undefined;
}

/** How a delivery gets to the webhook's function. */
export interface WayIn {
  /** Who answers. */
  name: string;
  deliver(body: string): Promise<Answer>;
}

/** As 8x8 does: with a request to the URL that is registered. */
export function throughApiGateway({ webhookUrl }: DeployedStage, authorization: string): WayIn {
  return {
    name: webhookUrl,
    async deliver(body) {
      const response = await fetch(webhookUrl, {
        method: 'POST',
        headers: { Authorization: authorization, 'Content-Type': 'application/json' },
        body,
        redirect: 'manual',
        signal: AbortSignal.timeout(MOST_MS),
      });
      return answerOf(response.status, await response.text());
    },
  };
}

/** API Gateway answers within 29 seconds. */
const MOST_MS = 35_000;

/** As API Gateway does: invokes the function with the event of a proxy integration. */
export function throughLambda(
  { settings, outputs, webhookUrl }: DeployedStage,
  authorization: string,
): WayIn {
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

/** Reads an answer: 200 with the session id, or a problem document; whatever else answers there has neither. */
export function answerOf(status: number, body: string): Answer {
  const parsed = v.safeParse(AnswerBody, body);
  if (!parsed.success) return { status };
  const { type, requestId, sessionId } = parsed.output;
  return { status, problem: type?.replace(/^urn:problem:vss-webhook:/, ''), requestId, sessionId };
}

/** An answer in words, with what to do about it where that is known. */
export function inWords({ status, problem }: Answer): string {
  const hint = HINTS[problem ?? ''];
  return [`${status}${problem === undefined ? '' : ` ${problem}`}`, ...(hint ? [hint] : [])].join(': ');
}

const HINTS: Readonly<Record<string, string>> = {
  unauthorized: 'the webhook does not accept the value in AuthorizationSecretArn; deploy the stage again',
  'unknown-subaccount': 'the webhook knows other sub-accounts than the output SubAccountIds; deploy again',
  'not-found': 'the API has no such path; deploy the stage again',
  refused: 'API Gateway refused it; is there a web ACL (webAclArn) that blocks this address?',
  'too-many-requests': 'more requests than throttlingRate; try again later',
  unavailable: "the function failed; see the webhook's log",
  'queue-unavailable': "SQS did not take it; see the webhook's log",
};

/**
 * Delivers a body.
 *
 * @param notKept Is called where the answer, or the lack of one, says that no queue can have the delivery.
 */
export async function deliver(wayIn: WayIn, body: string, notKept: () => void): Promise<Answer> {
  try {
    const answer = await wayIn.deliver(body);
    if (!mayBeKept(answer)) notKept();
    return answer;
  } catch (error) {
    if (isNotDelivered(error)) notKept();
    throw error;
  }
}

/** Those that are refused are not kept; what becomes of one that is answered 5xx, nobody can say. */
function mayBeKept({ status }: Answer): boolean {
  return status < 300 || status === 400 || status === 422 || status >= 500;
}

/** Whether a request has not arrived: there was no connection, or AWS has refused it. */
function isNotDelivered(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('$fault' in error) return error.$fault === 'client';
  return (
    error.cause instanceof Error && 'code' in error.cause && NO_CONNECTION.test(String(error.cause.code))
  );
}

/** Codes of errors in finding a host, connecting to it, and checking its certificate. */
const NO_CONNECTION =
  /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|ERR_TLS_.*|CERT_.*|DEPTH_ZERO_.*|SELF_SIGNED_.*|UNABLE_TO_.*)$/;
