import { type CallFailure, describeAnswer, describeFailure } from '../voice-api/call-failure.ts';

/** A failed call to 8x8. Its message tells whoever deploys what to check, and contains no secret. */
export class WebhooksApiError extends Error {
  override name = 'WebhooksApiError';
  /** The HTTP status of the last attempt; undefined if there was no response. */
  readonly status: number | undefined;
  /** Whether the request may have taken effect, or may do so shortly, although it failed. */
  readonly mayHaveArrived: boolean;
  /** Whether 8x8 rejected the request because a webhook exists. 8x8 does not document the status for that. */
  readonly isConflict: boolean;

  constructor(failure: CallFailure) {
    super(describeFailure(failure, { action: ACTIONS[failure.method], urlSetting: 'webhooksApiUrl' }));
    const { status } = failure.answer;
    this.status = status;
    this.mayHaveArrived = failure.mayHaveArrived;
    this.isConflict =
      status === 409 || (!NEVER_CONFLICTS.has(status) && CONFLICT.test(describeAnswer(failure)));
  }
}

/** Matches messages that something exists, but not `does not exist`. */
const CONFLICT = /\b(exists|already|duplicate|conflict)/i;
const NEVER_CONFLICTS: ReadonlySet<number | undefined> = new Set([undefined, 401, 404, 429]);

const ACTIONS = {
  GET: 'list the webhooks',
  POST: 'create the VSS webhook',
  DELETE: 'remove the VSS webhook',
};
