/** The message of an error, followed by the messages of its causes that it does not already contain. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // `error` is the failure of the clean-up; `suppressed` is the failure before it.
  if (error instanceof SuppressedError) return reasonOf(error.suppressed);
  // If every address of a host refuses the connection, the error has no message, only one error per address.
  const first = error instanceof AggregateError ? error.errors[0] : undefined;
  const text = error.message || (first === undefined ? error.name : reasonOf(first));
  const cause = error.cause === undefined ? '' : reasonOf(error.cause);
  return text.includes(cause) ? text : `${text} (${cause})`;
}
