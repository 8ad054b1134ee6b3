import { maskedUrl, maskedUrls, PORTAL_URL } from './finding.ts';
import type { Webhook } from './webhook-list.ts';

/** A webhook of someone else is registered, and may not be replaced. Nothing was changed. */
export class ForeignWebhookError extends Error {
  override name = 'ForeignWebhookError';

  constructor({ subAccountId, url }: { subAccountId: string; url: string }, foreign: readonly Webhook[]) {
    super(
      `Sub-account ${subAccountId}: 8x8 delivers to ${maskedUrls(foreign, url)}, not to ${maskedUrl(url, url)}. That webhook is not ` +
        `this stack's, so it was left as it is. Remove it at ${PORTAL_URL}, or set takeOver to true in the settings of ` +
        'this stage to replace it.',
    );
  }
}

/** A registration failed. Its cause is what failed at 8x8. */
export class RegistrationError extends Error {
  override name = 'RegistrationError';
  /** Whether a webhook that was there has been removed, or may have been. */
  readonly hasRemoved: boolean;

  constructor(message: string, { cause, hasRemoved }: { cause: unknown; hasRemoved: boolean }) {
    super(message, { cause });
    this.hasRemoved = hasRemoved;
  }
}
