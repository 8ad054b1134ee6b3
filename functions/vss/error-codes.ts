/** What a code in `errorDetails.errorCode` says. */
export interface ErrorCode {
  /** 8x8's message for it. */
  message: string;
  /** What it means for whoever started the session. Our reading: 8x8 publishes no more than the message. */
  meaning: string;
  /** Whether the same session may succeed when it is tried again. Our reading. */
  retryCanHelp: boolean;
}

/**
 * The error codes of a Voice Session Summary; the same for all products. Others may appear: the list has grown.
 *
 * @see https://developer.8x8.com/connect/docs/voice/error-codes/voice-error-codes
 */
export const ERROR_CODES: ReadonlyMap<number, ErrorCode> = new Map([
  [
    -2001,
    {
      message: 'An internal error has occurred',
      meaning: 'A fault at 8x8; try again, and ask them if it persists',
      retryCanHelp: true,
    },
  ],
  [
    -2002,
    {
      message: 'An internal connectivity error has occurred',
      meaning: 'A connection within 8x8 or to a carrier broke; try again',
      retryCanHelp: true,
    },
  ],
  [
    -2003,
    {
      message: 'The call flow provided is invalid',
      meaning: 'The call flow that was sent, or answered to a call action, has to be corrected',
      retryCanHelp: false,
    },
  ],
  [
    -2004,
    {
      message: 'No coverage available for requested area',
      meaning: 'The account may not call this country, or from this one; ask 8x8 for coverage',
      retryCanHelp: false,
    },
  ],
  [
    -2005,
    {
      message: 'Unable to synthesize text to speech',
      meaning: 'The text or its voice could not be spoken; check both, else try again',
      retryCanHelp: true,
    },
  ],
  [
    -2006,
    {
      message: 'Unable to download file for playback',
      meaning: 'The audio file could not be fetched; check that its URL is public and fast, then try again',
      retryCanHelp: true,
    },
  ],
  [
    -2007,
    {
      message: 'The validity period of the call flow request has expired',
      meaning: 'The call was not set up before validUntil; try again with a later one',
      retryCanHelp: true,
    },
  ],
  [
    -2008,
    {
      message: 'The provided source MSISDN or caller ID is not whitelisted',
      meaning: 'The caller id has to be registered at 8x8 first',
      retryCanHelp: false,
    },
  ],
  [
    -2009,
    {
      message: 'The scenario parameters provided is invalid',
      meaning: 'The parameters of the scenario have to be corrected',
      retryCanHelp: false,
    },
  ],
  [
    -2010,
    {
      message: 'The trunk capacity has been exceeded',
      meaning: 'Too many calls at once; try again later, or ask 8x8 for more capacity',
      retryCanHelp: true,
    },
  ],
  [
    -9999,
    {
      message: 'An unknown error has occurred',
      meaning: 'Nothing more is known; one more try may show whether it lasts',
      retryCanHelp: true,
    },
  ],
]);
