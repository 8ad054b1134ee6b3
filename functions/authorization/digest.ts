import { hash, timingSafeEqual } from 'node:crypto';

/** SHA-256 of an Authorization value, in hexadecimal. The webhook is configured with this, not with the value. */
export function digestOf(authorization: string): string {
  return hash('sha256', authorization, 'hex');
}

/** A scheme (RFC 9110, section 11.1) and one space. */
const SCHEME = /^[\w!#$%&'*+.^`|~-]+ /;

/**
 * Whether a value is accepted, alone or after a scheme such as `Bearer`. Takes the same time whether or not a value
 * matches, and whichever does.
 */
export function isAccepted(authorization: string, acceptedDigests: readonly string[]): boolean {
  const values = new Set([authorization, authorization.replace(SCHEME, '')]);
  const digests = [...values].map((value) => hash('sha256', value, 'buffer'));
  return acceptedDigests
    .map((accepted) => Buffer.from(accepted, 'hex'))
    .flatMap((accepted) =>
      digests.map((digest) => accepted.length === digest.length && timingSafeEqual(accepted, digest)),
    )
    .includes(true);
}
