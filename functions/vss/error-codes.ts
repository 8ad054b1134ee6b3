/** The description of an `errorDetails.errorCode`. */
export interface ErrorCode {
  /** 8x8's message for this code. */
  message: string;
  /** What it means for the caller, and what to do. Our interpretation: 8x8 publishes only the message. */
  meaning: string;
  /** Whether a retry of the same session may succeed. Our interpretation. */
  retryCanHelp: boolean;
}

/**
 * The error codes of a Voice Session Summary, the same for all products. 8x8 has added codes before: expect others.
 *
 * @see https://developer.8x8.com/connect/docs/voice/error-codes/voice-error-codes
 */
export const ERROR_CODES: ReadonlyMap<number, ErrorCode> = new Map([
  [
    -2001,
    {
      message: 'An internal error has occurred',
      meaning: 'A fault at 8x8; retry, and contact 8x8 if it persists',
      retryCanHelp: true,
    },
  ],
  [
    -2002,
    {
      message: 'An internal connectivity error has occurred',
      meaning: 'A connection within 8x8 or to a carrier failed; retry',
      retryCanHelp: true,
    },
  ],
  [
    -2003,
    {
      message: 'The call flow provided is invalid',
      meaning: 'Correct the call flow in the request, or in the response to a call action',
      retryCanHelp: false,
    },
  ],
  [
    -2004,
    {
      message: 'No coverage available for requested area',
      meaning: 'The account is not enabled for calls to or from this country; ask 8x8 for coverage',
      retryCanHelp: false,
    },
  ],
  [
    -2005,
    {
      message: 'Unable to synthesize text to speech',
      meaning: 'No speech could be generated; check the text and its voice, then retry',
      retryCanHelp: true,
    },
  ],
  [
    -2006,
    {
      message: 'Unable to download file for playback',
      meaning:
        'The audio file could not be fetched; check that its URL is public and responds quickly, then retry',
      retryCanHelp: true,
    },
  ],
  [
    -2007,
    {
      message: 'The validity period of the call flow request has expired',
      meaning: 'The call was not set up before validUntil; retry with a later validUntil',
      retryCanHelp: true,
    },
  ],
  [
    -2008,
    {
      message: 'The provided source MSISDN or caller ID is not whitelisted',
      meaning: 'Register the caller ID at 8x8 first',
      retryCanHelp: false,
    },
  ],
  [
    -2009,
    {
      message: 'The scenario parameters provided is invalid',
      meaning: 'Correct the parameters of the scenario',
      retryCanHelp: false,
    },
  ],
  [
    -2010,
    {
      message: 'The trunk capacity has been exceeded',
      meaning: 'Too many concurrent calls; retry later, or ask 8x8 for more capacity',
      retryCanHelp: true,
    },
  ],
  [
    -9999,
    {
      message: 'An unknown error has occurred',
      meaning: 'The cause is unknown; retry once to see whether it persists',
      retryCanHelp: true,
    },
  ],
]);
