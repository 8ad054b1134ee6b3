import { hash, timingSafeEqual } from 'node:crypto';

/** What a function knows of an Authorization value: its SHA-256, in hexadecimal. */
export function digestOf(authorization: string): string {
  return hash('sha256', authorization, 'hex');
}

/** Whether a value is one of those accepted. Takes the same time whichever it is, and for any that is none. */
export function isAccepted(authorization: string, acceptedDigests: readonly string[]): boolean {
  const digest = Buffer.from(digestOf(authorization));
  return acceptedDigests
    .map((accepted) => accepted.length === digest.length && timingSafeEqual(Buffer.from(accepted), digest))
    .includes(true);
}
