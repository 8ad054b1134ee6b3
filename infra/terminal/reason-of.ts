/** Why something failed, in one line: the message of an error, and those of its causes that it does not repeat. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // The error of what failed, not that of the clean-up after it.
  if (error instanceof SuppressedError) return reasonOf(error.suppressed);
  // A connection that every address refused has no message, only the errors of each.
  const first = error instanceof AggregateError ? error.errors[0] : undefined;
  const text = error.message || (first === undefined ? error.name : reasonOf(first));
  const cause = error.cause === undefined ? '' : reasonOf(error.cause);
  return text.includes(cause) ? text : `${text} (${cause})`;
}
