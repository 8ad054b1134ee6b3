/** A delivery of the smoke test that is in the queue, or may be. */
export interface Pending {
  sessionId: string;
  /** Whether the recorder is done with it, so that nothing will come of it any more. */
  isDone(): Promise<boolean>;
}

/** What a smoke test has made so far and has not seen disappear. */
export interface Leftovers {
  /** Sessions that may have a record. */
  sessionIds: Set<string>;
  /** Sessions that may have a dead letter. */
  deadLetters: Set<string>;
  pending: Set<Pending>;
  /** Prefixes of objects in the bucket of the exports. */
  prefixes: Set<string>;
  /** The ARN of the export that DynamoDB is still writing. */
  runningExport: string | undefined;
}

export function noLeftovers(): Leftovers {
  return {
    sessionIds: new Set(),
    deadLetters: new Set(),
    pending: new Set(),
    prefixes: new Set(),
    runningExport: undefined,
  };
}
