import { hash, timingSafeEqual } from 'node:crypto';

/** What a function knows of an Authorization value: its SHA-256, in hexadecimal. */
export function digestOf(authorization: string): string {
  return hash('sha256', authorization, 'hex');
}

/** A scheme (RFC 9110, section 11.1) and one space. */
const SCHEME = /^[\w!#$%&'*+.^`|~-]+ /;

/**
 * Whether a value, as it is or after a scheme such as `Bearer`, is one of those accepted. Takes the same time whether and
 * whichever value matches.
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
