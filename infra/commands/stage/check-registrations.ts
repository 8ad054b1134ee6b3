import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import * as v from 'valibot';
import { type CheckEvent, Checked } from '../../../functions/registration/check.ts';
import type { DeployedStage } from './deployed-stage.ts';

/**
 * Checks at 8x8 whether the webhook of each sub-account is the one of the stage. Invokes the registration function, which
 * can read the API key.
 */
export async function checkRegistrations(
  { outputs, settings }: DeployedStage,
  abortSignal?: AbortSignal,
): Promise<Checked[]> {
  const event: CheckEvent = {
    check: { url: outputs.WebhookUrl, subAccountIds: outputs.SubAccountIds.split(',') },
  };
  const { Payload, FunctionError } = await new LambdaClient(settings('lambda')).send(
    new InvokeCommand({ FunctionName: outputs.RegistrationFunctionName, Payload: JSON.stringify(event) }),
    { ...(abortSignal && { abortSignal }) },
  );
  const answer: unknown = JSON.parse(Payload?.transformToString() ?? '');
  if (FunctionError) throw new Error(`the registration function failed: ${Object(answer).errorMessage}`);
  return v.parse(v.array(Checked), answer);
}

/** What is wrong with the registration of a sub-account, and what to do; undefined if it is as it should be. */
export function registrationProblem({ subAccountId, problem }: Checked): string | undefined {
  return problem && `${subAccountId}: ${problem.finding}. ${problem.description}`;
}
