import { ERROR_CODES, type ErrorCode } from './error-codes.ts';
import { isSuccessful, type SessionRecord } from './record.ts';

/** The types of session events, as EventBridge's `detail-type`. */
export const EVENT_TYPES = { recorded: 'Session Recorded', changed: 'Session Changed' } as const;

export interface EventOptions {
  /** Whether events contain the phone numbers of the session. */
  phoneNumbers: boolean;
}

/** The phone numbers of a leg. */
type Numbers = Readonly<Record<'source' | 'destination', string>>;

/**
 * The attribute `event` of a record: what the last write changed about the session, for the pipe that publishes session
 * events. The input template of a pipe copies values into JSON without escaping them, and AWS does not document what it
 * does with a value that does not exist. So every field is always present, and every text is the content of a JSON
 * string: an absent value is an empty text, and a number is its digits.
 */
export interface SessionEvent {
  type: (typeof EVENT_TYPES)[keyof typeof EVENT_TYPES];
  sessionId: string;
  subAccountId: string;
  sessionStatus: string;
  startTime: string;
  endTime: string;
  lastAction: string;
  callCount: string;
  clientRequestId: string;
  errorCode: string;
  /** The meaning of the error code, and what to do. Our interpretation. */
  errorMeaning: string;
  /** Before and after the change: whether the session achieved its purpose, and whether a retry can help. */
  previousOutcome: Outcome | '';
  outcome: Outcome;
  previousRetryCanHelp: boolean;
  retryCanHelp: boolean;
  reconstructedFrom: string;
  /** The phone numbers of the first two legs; empty unless they are included. */
  callA: Numbers;
  callB: Numbers;
}

export type Outcome = 'successful' | 'unsuccessful';

/**
 * The event of a write; undefined if the record still shows the same summary.
 *
 * @param before The record that is replaced; undefined if the session is new.
 */
export function sessionEvent(
  before: SessionRecord | undefined,
  after: SessionRecord,
  { phoneNumbers }: EventOptions,
): SessionEvent | undefined {
  if (before !== undefined && isSameSummary(before, after)) return undefined;
  const { errorCode } = objectOf(after['errorDetails']);
  const legs = phoneNumbers ? after['legs'] : undefined;
  return {
    type: before === undefined ? EVENT_TYPES.recorded : EVENT_TYPES.changed,
    sessionId: jsonContent(after.sessionId),
    subAccountId: jsonContent(after.subAccountId),
    sessionStatus: jsonContent(after.sessionStatus),
    startTime: jsonContent(after['startTime']),
    endTime: jsonContent(after.endTime),
    lastAction: jsonContent(after['lastAction']),
    callCount: jsonContent(after['callCount']),
    clientRequestId: jsonContent(after['clientRequestId']),
    errorCode: jsonContent(errorCode),
    errorMeaning: jsonContent(documented(errorCode)?.meaning),
    previousOutcome: before === undefined ? '' : outcomeOf(before),
    outcome: outcomeOf(after),
    previousRetryCanHelp: before !== undefined && retryCanHelp(before),
    retryCanHelp: retryCanHelp(after),
    reconstructedFrom: jsonContent(after.reconstructedFrom),
    callA: numbersOf(legs, 'callA'),
    callB: numbersOf(legs, 'callB'),
  };
}

/**
 * Whether a retry of the session may succeed. Our interpretation: that of the error code or, if there is none that 8x8
 * documents, of the status. A canceled session is not retried, because its caller gave up.
 */
export function retryCanHelp(record: SessionRecord): boolean {
  if (isSuccessful(record)) return false;
  const { errorCode } = objectOf(record['errorDetails']);
  return documented(errorCode)?.retryCanHelp ?? RETRYABLE.has(record.sessionStatus);
}

const RETRYABLE: ReadonlySet<string | undefined> = new Set(['BUSY', 'NO_ANSWER', 'FAILED', 'ERROR']);

function documented(errorCode: unknown): ErrorCode | undefined {
  return typeof errorCode === 'number' ? ERROR_CODES.get(errorCode) : undefined;
}

function isSameSummary(a: SessionRecord, b: SessionRecord): boolean {
  return a.digest === b.digest && a.reconstructedFrom === b.reconstructedFrom;
}

function outcomeOf(record: SessionRecord): Outcome {
  return isSuccessful(record) ? 'successful' : 'unsuccessful';
}

function numbersOf(legs: unknown, name: string): Numbers {
  const leg = Array.isArray(legs) ? legs.map(objectOf).find((each) => each['leg'] === name) : undefined;
  return { source: jsonContent(leg?.['source']), destination: jsonContent(leg?.['destination']) };
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** Longer texts are cut: an event is a notification, and its record has everything. */
const MAX_LENGTH = 256;

/** The content of the JSON string of a text or number, without the quotation marks; empty if the value is absent. */
function jsonContent(value: unknown): string {
  return value === undefined
    ? ''
    : JSON.stringify(String(value).slice(0, MAX_LENGTH).toWellFormed()).slice(1, -1);
}
