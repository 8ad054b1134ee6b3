import { maskedUrl, maskedUrls, PORTAL_URL } from './finding.ts';
import type { Webhook } from './webhook-list.ts';

/** A foreign webhook is registered, and `takeOver` does not allow replacing it. Nothing was changed. */
export class ForeignWebhookError extends Error {
  override name = 'ForeignWebhookError';

  constructor({ subAccountId, url }: { subAccountId: string; url: string }, foreign: readonly Webhook[]) {
    super(
      `Sub-account ${subAccountId}: 8x8 delivers to ${maskedUrls(foreign, url)}, not to ${maskedUrl(url, url)}. That webhook does ` +
        `not belong to this stack, so it was not changed. Remove it at ${PORTAL_URL}, or set takeOver to true in the settings of ` +
        'this stage to replace it.',
    );
  }
}

/** A registration failed. `cause` is the error of the failed call. */
export class RegistrationError extends Error {
  override name = 'RegistrationError';
  /** Whether an existing webhook was removed, or may have been. */
  readonly hasRemoved: boolean;

  constructor(message: string, { cause, hasRemoved }: { cause: unknown; hasRemoved: boolean }) {
    super(message, { cause });
    this.hasRemoved = hasRemoved;
  }
}
