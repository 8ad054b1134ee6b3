/** A delivery of the smoke test that may still be in the queue. */
export interface Pending {
  sessionId: string;
  /** Whether the recorder has processed it. */
  isDone(): Promise<boolean>;
}

/** What a smoke test has created and not yet removed. */
export interface Leftovers {
  /** Sessions that may have a record. */
  sessionIds: Set<string>;
  /** Sessions that may have a dead letter. */
  deadLetters: Set<string>;
  pending: Set<Pending>;
  /** Prefixes of objects in the export bucket. */
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
