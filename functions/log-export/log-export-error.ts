/** Why an export cannot be made or read. */
export type LogExportFault =
  /** 8x8 rejects the request until a setting changes. */
  | ('key-refused' | 'access-refused' | 'unknown-subaccount' | 'refused')
  /** 8x8 was unreachable, overloaded or reported a fault of its own. The same call may succeed later. */
  | 'unavailable'
  /** A success that is not what 8x8 documents, or whose completeness cannot be proven. */
  | 'unexpected-answer'
  /** 8x8 failed to make the export, does not know it, or takes too long. */
  | ('job-failed' | 'job-unknown' | 'job-overdue')
  /** A link that is not followed: another host, not HTTPS, or too many redirects. */
  | 'link-refused'
  /** The link no longer works. A new job has new links. */
  | 'expired'
  /** The file did not arrive completely. The same link may work the next time. */
  | ('stalled' | 'cut-off')
  /** The export exceeds what the function has room for. */
  | 'too-large'
  /** The file cannot be read, retrying does not help. */
  | ('not-csv' | 'not-utf8' | 'wrong-header');

/**
 * An export that cannot be made or read. Its message says what happened, what was expected and what to check, and
 * contains no link, no key, no phone number and nothing of a row. So it has no `cause`, which might.
 */
export class LogExportError extends Error {
  override name = 'LogExportError';
  readonly kind: LogExportFault;

  constructor(kind: LogExportFault, message: string) {
    super(message.replace(NUMBER, '***'));
    this.kind = kind;
  }
}

/** A phone number, as 8x8 may quote one, but no part of a UUID such as its errorId. */
const NUMBER = /(?<![\w-])\+?\d{7,15}(?![\w-])/g;
