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
  const digests = [authorization, authorization.replace(SCHEME, '')].map((value) =>
    Buffer.from(digestOf(value)),
  );
  return acceptedDigests
    .flatMap((accepted) =>
      digests.map(
        (digest) => accepted.length === digest.length && timingSafeEqual(Buffer.from(accepted), digest),
      ),
    )
    .includes(true);
}
