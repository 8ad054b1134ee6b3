import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { json } from 'node:stream/consumers';
import * as v from 'valibot';

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Generates a random string of letters and digits, like GenerateSecretString with ExcludePunctuation. */
export function generateSecretString(length: number): string {
  return Array.from({ length }, () => ALPHANUMERIC[randomInt(ALPHANUMERIC.length)]).join('');
}

const Request = v.object({ SecretId: v.string() });

/**
 * Simulates AWS Secrets Manager, for which npm has no emulator. Implements only GetSecretValue (AWS JSON 1.1), which
 * the functions and `npx vss-webhook smoke` use.
 *
 * @param secrets The values by ARN or name.
 */
export function secretsManager(secrets: ReadonlyMap<string, string>): Server {
  return createServer(async (request, response) => {
    function answer(status: number, body: object): void {
      response.writeHead(status, { 'Content-Type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    }
    const parsed = v.safeParse(Request, await json(request).catch(() => undefined));
    if (request.headers['x-amz-target'] !== 'secretsmanager.GetSecretValue' || !parsed.success) {
      return answer(400, {
        __type: 'InvalidRequestException',
        message: 'Only GetSecretValue is supported.',
      });
    }
    const { SecretId } = parsed.output;
    const SecretString = secrets.get(SecretId);
    if (SecretString === undefined) {
      // Not ResourceNotFoundException: IAM denies first, because a policy for a name does not match a missing secret.
      return answer(400, {
        __type: 'AccessDeniedException',
        message: `User is not authorized to perform secretsmanager:GetSecretValue on resource: ${SecretId}`,
      });
    }
    answer(200, { ARN: SecretId, Name: SecretId, SecretString, VersionStages: ['AWSCURRENT'] });
  });
}
