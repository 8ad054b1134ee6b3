import { describe, expect, it } from 'vitest';
import { isJsonObject, type Json } from '../../../functions/vss/json.ts';
import { newRecord, receivedSummary } from '../../../functions/vss/record.ts';
import { readSummary, type Summary } from '../../../functions/vss/summary.ts';
import { example, summaryBody, summaryOf } from '../summaries.ts';

/**
 * 8x8's publications about Voice Session Summaries contradict each other. Each contradiction has a row with the delivered
 * summary, the expected record and the source. The sources are pages of 8x8's developer documentation; "capture" is a
 * payload in the demo harrism04/voice_messaging; "precaution" is not from 8x8.
 */

const ofPayload = (payload: Readonly<Record<string, unknown>>) => summaryOf(summaryBody(payload));
const ofLeg = (leg: Json) => ofPayload({ details: { callA: leg } });

/** A value in nested lists. */
function nested(levels: number): Json {
  return levels === 0 ? 1 : [nested(levels - 1)];
}

interface Row {
  oddity: string;
  source: string;
  summary: Summary;
  /** Attributes of the record. Undefined attributes must be absent. */
  shows: object;
  unrecognised?: Readonly<Record<string, Json>>;
}

const ROWS: Row[] = [
  {
    oddity: 'a leg named CallA',
    source: 'Voice Messaging success example; capture of 2025-03-10',
    summary: ofPayload({ details: { CallA: { callId: 'a' }, CALLb: { callId: 'b' } } }),
    shows: {
      legs: [
        { leg: 'callA', callId: 'a' },
        { leg: 'callB', callId: 'b' },
      ],
    },
  },
  {
    oddity: 'a field named SourceRefId that contains the text "null"',
    source: 'Voice Messaging success example',
    summary: summaryOf(example('voice-messaging-answered')),
    shows: { legs: [{ leg: 'callA', sourceRefId: undefined }] },
  },
  {
    oddity: 'all field names in another case',
    source: 'by extension of SourceRefId',
    summary: summaryOf(
      JSON.stringify({
        EventType: 'SESSION_SUMMARY',
        PAYLOAD: {
          SessionID: 's',
          subaccountid: '8x8_test',
          SESSIONSTATUS: 'BUSY',
          StartTime: '2026-01-13T08:26:58Z',
          endtime: '2026-01-13T08:27:33Z',
          Details: { callA: { CallQuality: { MOS: 4 } } },
        },
      }),
    ),
    shows: { sessionId: 's', sessionStatus: 'BUSY', legs: [{ leg: 'callA', callQuality: { mos: 4 } }] },
  },
  ...['NO_ANSWER', 'NO ANSWER', 'no answer', 'No-Answer', 'NoAnswer'].map((sessionStatus) => ({
    oddity: `the status ${sessionStatus}`,
    source: 'field lists, contrary to the matrix of Number Masking',
    summary: ofPayload({ sessionStatus, details: { callB: { callStatus: sessionStatus } } }),
    shows: { sessionStatus: 'NO_ANSWER', legs: [{ leg: 'callB', callStatus: 'NO_ANSWER' }] },
  })),
  ...['CANCELED', 'CANCELLED', 'Cancelled'].map((sessionStatus) => ({
    oddity: `the status ${sessionStatus}`,
    source: 'api-introduction, contrary to all references',
    summary: ofPayload({ sessionStatus }),
    shows: { sessionStatus: 'CANCELED' },
  })),
  ...['COMPLETED_UNSUBSCRIBED', 'COMPLETED_UNSUB_ERROR', 'UNSUBSCRIBED_CONTACT'].map((sessionStatus) => ({
    oddity: `the opt-out status ${sessionStatus}`,
    source: 'Voice Messaging field table',
    summary: ofPayload({ sessionStatus: sessionStatus.toLowerCase() }),
    shows: { sessionStatus },
  })),
  {
    oddity: 'a new status',
    source: '8x8 keeps adding statuses',
    summary: ofPayload({
      sessionStatus: 'Partially Completed',
      details: { callA: { callStatus: 'Ringing' } },
    }),
    shows: { sessionStatus: 'Partially Completed', legs: [{ leg: 'callA', callStatus: 'Ringing' }] },
  },
  {
    oddity: 'a text as the errorCode',
    source: 'Number Masking field table',
    summary: ofPayload({ errorDetails: { errorCode: '-2004' } }),
    shows: { errorDetails: { errorCode: -2004 } },
  },
  {
    oddity: 'the errorMsg of another errorCode',
    source: 'Number Masking failure example of 2025: -2005 with the message of -2004',
    summary: ofPayload({
      errorDetails: { errorMsg: 'No coverage available for requested area', errorCode: -2005 },
    }),
    shows: { errorDetails: { errorMsg: 'No coverage available for requested area', errorCode: -2005 } },
  },
  {
    oddity: 'a leg with the status ERROR',
    source: 'failure examples, contrary to the page on SIP response codes',
    summary: summaryOf(example('number-masking-error')),
    shows: {
      legs: [{ leg: 'callA', callStatus: 'ERROR', connectedTimestamp: undefined, callQuality: undefined }],
    },
  },
  {
    oddity: 'additional fields in errorDetails',
    source: 'capture',
    summary: ofPayload({
      errorDetails: {
        callFlowRequestId: 'example-request-id',
        action: 'sayAndCapture',
        errorMsg: 'The call flow provided is invalid',
        errorCode: -2003,
        hint: 'unknown to all',
      },
    }),
    shows: {
      errorDetails: {
        callFlowRequestId: 'example-request-id',
        action: 'SAY_AND_CAPTURE',
        errorMsg: 'The call flow provided is invalid',
        errorCode: -2003,
      },
    },
    unrecognised: { 'payload.errorDetails.hint': 'unknown to all' },
  },
  {
    oddity: 'errorDetails on a leg',
    source: 'Number Masking text: "of the call leg"',
    summary: ofLeg({ errorDetails: { errorCode: '-2008', other: [1] } }),
    shows: { errorDetails: undefined, legs: [{ leg: 'callA', errorDetails: { errorCode: -2008 } }] },
    unrecognised: { 'payload.details.callA.errorDetails.other': [1] },
  },
  {
    oddity: 'errorDetails and a status other than ERROR',
    source: 'VSS overview: "and/or"',
    summary: ofPayload({ sessionStatus: 'FAILED', errorDetails: { errorCode: -2010 } }),
    shows: { sessionStatus: 'FAILED', errorDetails: { errorCode: -2010 } },
  },
  ...(
    [
      ['makeCall', 'MAKE_CALL'],
      ['MakeCall', 'MAKE_CALL'],
      ['say', 'SAY'],
      ['PlayTTS', 'PLAY_TTS'],
      ['PlayFile', 'PLAY_FILE'],
      ['sayAndCapture', 'SAY_AND_CAPTURE'],
      ['hangup', 'HANGUP'],
      ['transferCall', 'transferCall'],
    ] as const
  ).map(([lastAction, shown]) => ({
    oddity: `the lastAction ${lastAction}`,
    source: 'examples, prose and legacy pages; an open list',
    summary: ofPayload({ lastAction }),
    shows: { lastAction: shown },
  })),
  {
    oddity: 'a version',
    source: 'IVR examples',
    summary: summaryOf(summaryBody({}, { version: 5 })),
    shows: { version: 5 },
  },
  {
    oddity: 'no version, clientRequestId, lastAction, callCount and details',
    source: 'Voice Messaging, Number Masking',
    summary: ofPayload({}),
    shows: {
      version: undefined,
      clientRequestId: undefined,
      lastAction: undefined,
      callCount: undefined,
      errorDetails: undefined,
      legs: [],
    },
  },
  ...[null, {}, '', 'null'].map((details) => ({
    oddity: `the details ${JSON.stringify(details)}`,
    source: 'Number Masking matrix: NULL',
    summary: ofPayload({ details }),
    shows: { legs: [] },
  })),
  {
    oddity: 'a leg that is null',
    source: 'Number Masking matrix: NULL',
    summary: ofPayload({ details: { callA: { callId: 'a' }, callB: null } }),
    shows: { legs: [{ leg: 'callA', callId: 'a' }] },
  },
  {
    oddity: 'a leg without known fields',
    source: 'every field of a leg is optional',
    summary: ofPayload({ details: { callA: {} } }),
    shows: { legs: [{ leg: 'callA' }] },
  },
  ...(
    [
      ['2024-03-25T06:01:30Z', '2024-03-25T06:01:30.000Z'],
      ['2024-03-25T06:01:30.7Z', '2024-03-25T06:01:30.700Z'],
      ['2024-03-25T06:01:30.123000000Z', '2024-03-25T06:01:30.123Z'],
      ['2024-03-25T08:01:30+02:00', '2024-03-25T06:01:30.000Z'],
      ['2024-03-24T22:31:30.5-0730', '2024-03-25T06:01:30.500Z'],
      ['2024-03-25t06:01:30z', '2024-03-25T06:01:30.000Z'],
    ] as const
  ).map(([time, shown]) => ({
    oddity: `the time ${time}`,
    source: 'other webhooks have milliseconds, messaging has offsets',
    summary: ofPayload({ endTime: time, details: { callA: { initiatedTimestamp: time } } }),
    shows: { endTime: shown, legs: [{ leg: 'callA', initiatedTimestamp: shown }] },
  })),
  {
    oddity: 'a time finer than a millisecond',
    source: 'error bodies of messaging have seven digits',
    summary: ofPayload({
      startTime: '2024-03-25T06:01:30.1234567Z',
      details: { callA: { connectedTimestamp: '2024-03-25T06:01:30.1230001Z' } },
    }),
    shows: {
      startTime: '2024-03-25T06:01:30.123Z',
      legs: [{ leg: 'callA', connectedTimestamp: '2024-03-25T06:01:30.123Z' }],
    },
    unrecognised: {
      'payload.startTime': '2024-03-25T06:01:30.1234567Z',
      'payload.details.callA.connectedTimestamp': '2024-03-25T06:01:30.1230001Z',
    },
  },
  {
    oddity: 'a leg that starts two seconds before its session',
    source: 'Number Masking and Voice Messaging success examples',
    summary: summaryOf(example('number-masking-answered')),
    shows: {
      startTime: '2024-03-25T06:01:30.000Z',
      legs: [{ initiatedTimestamp: '2024-03-25T06:01:28.000Z' }, {}],
    },
  },
  {
    oddity: 'a leg a year before its session',
    source: 'Voice Messaging failure example',
    summary: summaryOf(example('voice-messaging-error')),
    shows: {
      startTime: '2024-07-13T09:54:38.000Z',
      legs: [{ initiatedTimestamp: '2023-07-13T09:54:38.000Z' }],
    },
  },
  {
    oddity: 'a callDuration longer than the time from connected to disconnected',
    source: 'IVR example: 37 instead of 36 seconds',
    summary: summaryOf(example('ivr-busy')),
    shows: { legs: [{ callDuration: 37 }, { callDuration: 0 }] },
  },
  {
    oddity: 'a callCount that counts a leg that was never connected',
    source: 'IVR busy example',
    summary: summaryOf(example('ivr-busy')),
    shows: {
      callCount: 2,
      sessionStatus: 'BUSY',
      legs: [{ callStatus: 'COMPLETED' }, { connectedTimestamp: undefined }],
    },
  },
  {
    oddity: 'callB before callA',
    source: 'Number Masking success example',
    summary: summaryOf(example('number-masking-answered')),
    shows: { legs: [{ leg: 'callA' }, { leg: 'callB' }] },
  },
  {
    oddity: 'additional legs, and legs with other names',
    source: '"etc."',
    summary: ofPayload({ details: { callC: {}, transfer: {}, callAB: {}, callA: {} } }),
    shows: { legs: [{ leg: 'callA' }, { leg: 'callAB' }, { leg: 'callC' }, { leg: 'transfer' }] },
  },
  {
    oddity: 'an inbound leg with only destinationRefId, and an outbound one with only sourceRefId',
    source: 'all examples',
    summary: summaryOf(example('ivr-busy')),
    shows: {
      legs: [
        { callDirection: 'INBOUND', destinationRefId: 'virtual-number-trunk-01', sourceRefId: undefined },
        { callDirection: 'OUTBOUND', sourceRefId: 'virtual-number-trunk-01', destinationRefId: undefined },
      ],
    },
  },
  {
    oddity: 'two outbound legs, although the documentation calls the session inbound',
    source: 'IVR scenario 1',
    summary: summaryOf(example('ivr-answered')),
    shows: {
      legs: [
        { leg: 'callA', callDirection: 'OUTBOUND' },
        { leg: 'callB', callDirection: 'OUTBOUND' },
      ],
    },
  },
  {
    oddity: 'ids that are not valid UUIDs',
    source: 'examples with ids of version 1 and 4, and with an invalid variant',
    summary: ofPayload({
      sessionId: 'eb0fc709-9693-11ea-454d-1705dde98182',
      details: { callA: { callId: 'x' } },
    }),
    shows: { sessionId: 'eb0fc709-9693-11ea-454d-1705dde98182', legs: [{ callId: 'x' }] },
  },
  {
    oddity: 'the type VOIP, and a source that is not a phone number',
    source: 'IVR field table; withheld callers are not documented',
    summary: ofLeg({
      callType: 'voip',
      source: 'anonymous',
      sourceFormat: 'SIP_URI',
      destinationFormat: 'msisdn',
    }),
    shows: {
      legs: [{ callType: 'VOIP', source: 'anonymous', sourceFormat: 'SIP_URI', destinationFormat: 'MSISDN' }],
    },
  },
  {
    oddity: 'country codes that are null',
    source: 'VCS sample "ID | Null"',
    summary: ofLeg({ sourceCountryCode: null, destinationCountryCode: 'Null' }),
    shows: { legs: [{ sourceCountryCode: undefined, destinationCountryCode: undefined }] },
  },
  {
    oddity: 'a callDirection that is a number',
    source: 'legacy IVR page',
    summary: ofLeg({ callDirection: 1 }),
    shows: { legs: [{ leg: 'callA', callDirection: undefined }] },
    unrecognised: { 'payload.details.callA.callDirection': 1 },
  },
  {
    oddity: 'numbers as texts, and texts that are not numbers',
    source: 'by extension of errorCode; VCS had callDuration as String',
    summary: summaryOf(
      summaryBody(
        {
          callCount: '2',
          details: {
            callA: { callDuration: '13', callQuality: { mos: '4.5', jitter: '20ms', packetLossRate: 'n/a' } },
          },
        },
        { version: '5' },
      ),
    ),
    shows: {
      version: 5,
      callCount: 2,
      legs: [{ callDuration: 13, callQuality: { mos: 4.5, jitter: undefined } }],
    },
    unrecognised: {
      'payload.details.callA.callQuality.jitter': '20ms',
      'payload.details.callA.callQuality.packetLossRate': 'n/a',
    },
  },
  {
    oddity: 'fractions in integer fields',
    source: 'precaution',
    summary: ofPayload({ callCount: 1.5, details: { callA: { callDuration: 13.0 } } }),
    shows: { callCount: undefined, legs: [{ callDuration: 13 }] },
    unrecognised: { 'payload.callCount': 1.5 },
  },
  {
    oddity: 'another namespace and description',
    source: 'precaution: both are constants in every example, and not stored',
    summary: summaryOf(summaryBody({}, { namespace: 'VOICE2', description: 'Summary' })),
    shows: {},
    unrecognised: { namespace: 'VOICE2', description: 'Summary' },
  },
  {
    oddity: 'DTMF and menu data',
    source: 'announced in the text, but in no schema',
    summary: ofPayload({
      dtmf: '3',
      menu: [{ id: 1, choice: '#' }],
      details: { callA: { eventData: { dtmf: '1' } } },
    }),
    shows: { legs: [{ leg: 'callA' }] },
    unrecognised: {
      'payload.dtmf': '3',
      'payload.menu': [{ id: 1, choice: '#' }],
      'payload.details.callA.eventData': { dtmf: '1' },
    },
  },
  {
    oddity: 'known objects that are empty or contain only absent values',
    source: 'by extension of details',
    summary: ofPayload({
      errorDetails: {},
      details: { callA: { callQuality: { mos: null, JITTER: 'null' } } },
    }),
    shows: { errorDetails: undefined, legs: [{ leg: 'callA', callQuality: undefined }] },
  },
  {
    oddity: 'unknown fields without a value in known objects',
    source: 'precaution: null may have a meaning in unknown fields',
    summary: ofPayload({
      errorDetails: { sipCause: null },
      details: { note: '', callA: { callQuality: { codec: 'null' } }, callB: null },
    }),
    shows: { errorDetails: {}, legs: [{ leg: 'callA', callQuality: {} }] },
    unrecognised: {
      'payload.errorDetails.sipCause': null,
      'payload.details.note': '',
      'payload.details.callA.callQuality.codec': 'null',
    },
  },
  {
    oddity: 'a known object with only unknown fields',
    source: 'by extension of the extra keys in errorDetails',
    summary: ofLeg({ errorDetails: { x: 1 } }),
    shows: { legs: [{ leg: 'callA', errorDetails: {} }] },
    unrecognised: { 'payload.details.callA.errorDetails.x': 1 },
  },
  {
    oddity: 'a nonexistent date in a leg',
    source: 'precaution: JavaScript parses it as another day',
    summary: ofLeg({ connectedTimestamp: '2026-02-30T10:00:00Z' }),
    shows: { legs: [{ leg: 'callA', connectedTimestamp: undefined }] },
    unrecognised: { 'payload.details.callA.connectedTimestamp': '2026-02-30T10:00:00Z' },
  },
  ...['COMPLETED', 'NO_ANSWER', 'BUSY', 'CANCELED', 'FAILED', 'ERROR'].map((sessionStatus) => ({
    oddity: `the status ${sessionStatus} in lower case`,
    source: 'by extension of the published spellings',
    summary: ofPayload({ sessionStatus: sessionStatus.toLowerCase() }),
    shows: { sessionStatus },
  })),
  {
    oddity: 'every other known value in lower case',
    source: 'by extension of the published spellings',
    summary: ofPayload({
      details: {
        callA: {
          callDirection: 'inbound',
          callType: 'pstn',
          sourceFormat: 'msisdn',
          destinationFormat: 'Msisdn',
        },
        callB: { callDirection: 'outbound', callType: 'voip' },
      },
    }),
    shows: {
      legs: [
        { callDirection: 'INBOUND', callType: 'PSTN', sourceFormat: 'MSISDN', destinationFormat: 'MSISDN' },
        { callDirection: 'OUTBOUND', callType: 'VOIP' },
      ],
    },
  },
  {
    oddity: 'errorDetails with only known fields without a value, in any case',
    source: 'precaution, after the "null" of the captures',
    summary: ofPayload({ errorDetails: { errorCode: null, ERRORMSG: 'null' } }),
    shows: { errorDetails: undefined },
  },
  {
    oddity: 'an undocumented list',
    source: 'precaution',
    summary: ofPayload({ tags: ['b', 'a', 'c'] }),
    shows: {},
    unrecognised: { 'payload.tags': ['b', 'a', 'c'] },
  },
  {
    oddity: 'texts of numbers at the limits of a double',
    source: 'precaution',
    summary: ofPayload({
      callCount: '9007199254740991',
      details: {
        callA: { callQuality: { mos: '0.30000000000000004', packetLossRate: '-0.000000000000001' } },
      },
    }),
    shows: {
      callCount: 9007199254740991,
      legs: [{ callQuality: { mos: 0.30000000000000004, packetLossRate: -0.000000000000001 } }],
    },
  },
  {
    oddity: 'numbers beyond the limits of a double or DynamoDB',
    source: 'precaution',
    summary: ofPayload({
      callCount: 9007199254740992,
      errorDetails: { errorCode: '-12345678901234567890' },
      details: { callA: { callQuality: { mos: '9.123456789012345', packetLossRate: 1e-16, jitter: '4x' } } },
    }),
    shows: { callCount: undefined, errorDetails: {}, legs: [{ callQuality: {} }] },
    unrecognised: {
      'payload.callCount': { json: '9007199254740992' },
      'payload.errorDetails.errorCode': '-12345678901234567890',
      'payload.details.callA.callQuality.mos': '9.123456789012345',
      'payload.details.callA.callQuality.packetLossRate': 1e-16,
      'payload.details.callA.callQuality.jitter': '4x',
    },
  },
  {
    oddity: 'text before or after a number',
    source: 'precaution',
    summary: ofPayload({
      callCount: 'x2',
      errorDetails: { errorCode: '-2004.' },
      details: { callA: { callDuration: '1.5.2' } },
    }),
    shows: { callCount: undefined, errorDetails: {}, legs: [{ callDuration: undefined }] },
    unrecognised: {
      'payload.callCount': 'x2',
      'payload.errorDetails.errorCode': '-2004.',
      'payload.details.callA.callDuration': '1.5.2',
    },
  },
  {
    oddity: 'a text that looks like a time',
    source: 'precaution: only time fields may lose digits',
    summary: ofPayload({ clientRequestId: '2024-03-25T06:01:30.1234567Z' }),
    shows: { clientRequestId: '2024-03-25T06:01:30.1234567Z' },
  },
  ...[
    { SourceRefId: 'x', SOURCEREFID: 'y' },
    { SOURCEREFID: 'y', SourceRefId: 'x' },
  ].map((callA) => ({
    oddity: `two undocumented spellings of a field, ${Object.keys(callA)}`,
    source: 'precaution: the order of keys must not matter',
    summary: ofLeg(callA),
    shows: { legs: [{ sourceRefId: 'y' }] },
    unrecognised: { 'payload.details.callA.SourceRefId': 'x' },
  })),
  ...[
    { CallA: { callId: 'x' }, CALLA: { callId: 'y' } },
    { CALLA: { callId: 'y' }, CallA: { callId: 'x' } },
  ].map((details) => ({
    oddity: `two undocumented spellings of a leg, ${Object.keys(details)}`,
    source: 'precaution: the order of keys must not matter',
    summary: ofPayload({ details }),
    shows: { legs: [{ leg: 'callA', callId: 'y' }] },
    unrecognised: { 'payload.details.CallA': { callId: 'x' } },
  })),
  {
    oddity: 'a leg that is not an object, and another spelling of its name',
    source: 'precaution: two values must not share a name',
    summary: ofPayload({ details: { callA: 'busy', CallA: { callId: 'x' } } }),
    shows: { legs: [] },
    unrecognised: { 'payload.details.callA': 'busy', 'payload.details.CallA': { callId: 'x' } },
  },
  {
    oddity: 'fields in details that only begin like the name of a leg',
    source: 'precaution: all observed names have one letter after "call"',
    summary: ofPayload({ details: { callback: { callId: 'x' }, CallAB: {}, xCallA: {} } }),
    shows: { legs: [{ leg: 'CallAB' }, { leg: 'callback', callId: 'x' }, { leg: 'xCallA' }] },
  },
  {
    oddity: 'names that are invalid in DynamoDB',
    source: 'DynamoDB allows 1 byte to 64 KiB; JSON allows anything',
    summary: summaryOf(
      JSON.stringify({
        eventType: 'SESSION_SUMMARY',
        ['r'.repeat(256)]: 1,
        ['q'.repeat(256)]: 2,
        payload: {
          ...JSON.parse(summaryBody()).payload,
          ['p'.repeat(256)]: null,
          ['o'.repeat(256)]: 0,
          ['o'.repeat(255)]: 3,
          'a.b': { '': 1 },
          inner: { ['n'.repeat(256)]: 4 },
          fits: { ['m'.repeat(255)]: 5 },
          '\ud800': { '\ud800': 6 },
          details: {
            ['l'.repeat(256)]: { callId: 'x' },
            '\udfff': {},
            ['k'.repeat(64)]: {},
            ['j'.repeat(65)]: {},
          },
        },
      }),
    ),
    shows: { legs: [{ leg: 'k'.repeat(64) }] },
    unrecognised: {
      '*': [`{"${'q'.repeat(256)}":2}`, `{"${'r'.repeat(256)}":1}`],
      'payload.*': [`{"${'o'.repeat(256)}":0}`, `{"${'p'.repeat(256)}":null}`],
      [`payload.${'o'.repeat(255)}`]: 3,
      'payload["a.b"]': { json: '{"":1}' },
      'payload.inner': { json: `{"${'n'.repeat(256)}":4}` },
      'payload.fits': { ['m'.repeat(255)]: 5 },
      'payload["\\ud800"]': { json: '{"\\ud800":6}' },
      'payload.details.*': [`{"${'l'.repeat(256)}":{"callId":"x"}}`],
      'payload.details["\\udfff"]': {},
      [`payload.details.${'j'.repeat(65)}`]: {},
    },
  },
  {
    oddity: 'values at the limits of DynamoDB and beyond',
    source: 'DynamoDB: 38 digits, 1E-130 to 9.99E+125, 32 levels',
    summary: ofPayload({
      largest: 9007199254740991,
      larger: 9007199254740992,
      smallest: 1e-100,
      smaller: 9e-101,
      zero: 0,
      deep: nested(16),
      deeper: nested(17),
      flag: false,
      wrapped: { json: 1 },
      alike: { json: 1, more: 2 },
    }),
    shows: {},
    unrecognised: {
      'payload.largest': 9007199254740991,
      'payload.larger': { json: '9007199254740992' },
      'payload.smallest': 1e-100,
      'payload.smaller': { json: '9e-101' },
      'payload.zero': 0,
      'payload.deep': nested(16),
      'payload.deeper': { json: JSON.stringify(nested(17)) },
      'payload.flag': false,
      'payload.wrapped': { json: '{"json":1}' },
      'payload.alike': { json: 1, more: 2 },
    },
  },
  {
    oddity: 'empty details and another spelling of details',
    source: 'by extension of two spellings of one name',
    summary: ofPayload({ details: {}, Details: { callA: { callId: 'x' } } }),
    shows: { legs: [{ leg: 'callA', callId: 'x' }] },
  },
  {
    oddity: '__proto__ within a value',
    source: 'precaution: code that assigns properties loses it',
    summary: summaryOf(summaryBody({ inner: [{ proto: 1 }] }).replace('"proto"', '"__proto__"')),
    shows: {},
    unrecognised: { 'payload.inner': { json: '[{"__proto__":1}]' } },
  },
  {
    oddity: 'other values in place of known objects',
    source: 'precaution',
    summary: ofPayload({ errorDetails: 'none', details: { callA: { callQuality: [4.5] }, callB: 'busy' } }),
    shows: { errorDetails: undefined, legs: [{ leg: 'callA', callQuality: undefined }] },
    unrecognised: {
      'payload.errorDetails': 'none',
      'payload.details.callA.callQuality': [4.5],
      'payload.details.callB': 'busy',
    },
  },
  {
    oddity: 'a list as details',
    source: 'precaution',
    summary: ofPayload({ details: [{ callId: 'a' }] }),
    shows: { legs: [] },
    unrecognised: { 'payload.details': [{ callId: 'a' }] },
  },
  {
    oddity: 'numeric ids with fewer and more digits than a double keeps',
    source: 'precaution',
    summary: summaryOf(
      summaryBody({ clientRequestId: 12345, details: { callA: { callId: 0 } } }).replace(
        '"callId":0',
        '"callId":12345678901234567890',
      ),
    ),
    shows: { clientRequestId: undefined, legs: [{ leg: 'callA', callId: '12345678901234567890' }] },
    unrecognised: { 'payload.clientRequestId': 12345 },
  },
  {
    oddity: 'two spellings of one name',
    source: 'precaution',
    summary: ofPayload({
      details: {
        CallA: { callId: 'other' },
        callA: { SourceRefId: 'x', sourceRefId: 'y', SOURCEREFID: 'z' },
      },
    }),
    shows: { legs: [{ leg: 'callA', sourceRefId: 'y' }] },
    unrecognised: {
      'payload.details.callA.SourceRefId': 'x',
      'payload.details.callA.SOURCEREFID': 'z',
      'payload.details.CallA': { callId: 'other' },
    },
  },
  ...[
    '2024-03-25T06:01:30',
    '2024-03-25 06:01:30',
    '2024-03-25 06:01:30.000',
    '2024-03-25T06:01:30,000Z',
    '2024-03-25T06:01:30 UTC',
    '2024-03-25 06:01:30 GMT',
    ' 2024-03-25T06:01:30Z ',
    '2024-03-25T14:01:30+08',
    `2024-03-25T06:01:30.${'0'.repeat(43)}Z`,
    1_711_346_490,
    '1711346490',
    1_711_346_490_000,
    '1711346490000',
  ].map((time) => ({
    oddity: `the time ${JSON.stringify(time)}`,
    source: 'precaution: it is unambiguous, because every time of Voice is in UTC',
    summary: ofPayload({ endTime: time, details: { callA: { initiatedTimestamp: time } } }),
    shows: {
      endTime: '2024-03-25T06:01:30.000Z',
      legs: [{ leg: 'callA', initiatedTimestamp: '2024-03-25T06:01:30.000Z' }],
    },
  })),
  ...(
    [
      ['2024-03-25T06:01', '2024-03-25T06:01:00.000Z'],
      ['2024-03-25 06:01:30.5', '2024-03-25T06:01:30.500Z'],
      [1_711_346_490.25, '2024-03-25T06:01:30.250Z'],
      ['1711346490.007', '2024-03-25T06:01:30.007Z'],
      [1_711_346_490_123, '2024-03-25T06:01:30.123Z'],
    ] as const
  ).map(([startTime, shown]) => ({
    oddity: `the time ${JSON.stringify(startTime)}`,
    source: 'precaution: it is unambiguous',
    summary: ofPayload({ startTime }),
    shows: { startTime: shown },
  })),
  ...[
    '2026-01-13',
    '06:01:30',
    '2026-13-01T00:00:00Z',
    '2026-02-28T25:00:00Z',
    '2026-02-29T00:00:00Z',
    '2026-04-31T00:00:00+02:00',
    '0000-01-01T00:00:00+14:00',
    '+002026-01-13T08:27:33Z',
    '2026-01-13T08:27:33Z (UTC)',
    '2026-01-13T08:27.5Z',
    '13/01/2026 08:27:33',
    `2024-03-25T06:01:30.${'0'.repeat(44)}Z`,
    'yesterday',
    171_134_649,
    17_113_464_900,
    true,
  ].map((endTime) => ({
    oddity: `the end time ${JSON.stringify(endTime)}`,
    source: 'precaution: it is invalid or ambiguous',
    summary: ofPayload({ endTime }),
    shows: { endTime: undefined, sessionStatus: 'COMPLETED' },
    unrecognised: { 'payload.endTime': endTime },
  })),
  ...[1_711_346_490.123456, '1711346490.1234567890123'].map((startTime) => ({
    oddity: `the time ${JSON.stringify(startTime)}, finer than a millisecond`,
    source: 'precaution: Python prints such times',
    summary: ofPayload({ startTime }),
    shows: { startTime: '2024-03-25T06:01:30.123Z' },
    unrecognised: { 'payload.startTime': startTime },
  })),
  {
    oddity: 'a payload as JSON text, and another spelling of its name',
    source: 'precaution: the documented spelling has priority',
    summary: summaryOf(
      JSON.stringify({
        Payload: 'x',
        eventType: 'SESSION_SUMMARY',
        payload: JSON.stringify({ sessionId: 'of-a-text', subAccountId: '8x8_test' }),
      }),
    ),
    shows: { sessionId: 'of-a-text' },
    unrecognised: { Payload: 'x' },
  },
  ...[null, undefined, '', 'null'].map((nothing) => ({
    oddity: `${JSON.stringify(nothing)} as status and times`,
    source: 'VSS overview: summaries are also sent if the session cannot be created',
    summary: ofPayload({ sessionStatus: nothing, startTime: nothing, endTime: nothing }),
    shows: {
      sessionStatus: undefined,
      startTime: undefined,
      endTime: undefined,
      unsuccessfulIn: '8x8_test',
      unsuccessfulAt: '2026-01-13T08:27:34.567Z',
    },
  })),
  {
    oddity: 'a status that is too long, and one that is not a text',
    source: 'precaution: reports group by status',
    summary: ofPayload({ sessionStatus: 'x'.repeat(129), details: { callA: { callStatus: 5 } } }),
    shows: { sessionStatus: undefined, legs: [{ callStatus: undefined }] },
    unrecognised: { 'payload.sessionStatus': 'x'.repeat(129), 'payload.details.callA.callStatus': 5 },
  },
  {
    oddity: 'its event in a list',
    source: 'precaution: other webhook senders deliver lists',
    summary: summaryOf(`[${summaryBody({ sessionId: 'of-a-list' })}]`),
    shows: { sessionId: 'of-a-list' },
  },
  {
    oddity: 'a payload as JSON text',
    source: 'precaution: a form of double encoding',
    summary: summaryOf(
      JSON.stringify({
        eventType: 'SESSION_SUMMARY',
        Payload: JSON.stringify({ sessionId: 'of-a-text', subAccountId: '8x8_test', callCount: 2, x: 1 }),
      }),
    ),
    shows: { sessionId: 'of-a-text', callCount: 2 },
    unrecognised: { 'payload.x': 1 },
  },
  {
    oddity: 'its event as JSON text',
    source: 'precaution: a form of double encoding',
    summary: summaryOf(JSON.stringify(summaryBody({ sessionId: 'of-a-text' }))),
    shows: { sessionId: 'of-a-text' },
  },
];

/** The fields of a value that `shape` has, at any depth. Absent ones are undefined. */
function pickShape(value: unknown, shape: unknown): unknown {
  if (Array.isArray(value) && Array.isArray(shape)) return value.map((item, i) => pickShape(item, shape[i]));
  if (!isJsonObject(value) || !isJsonObject(shape)) return value;
  return Object.fromEntries(Object.keys(shape).map((key) => [key, pickShape(value[key], shape[key])]));
}

describe('a summary is recorded', () => {
  it.each(ROWS)('with $oddity ($source)', ({ summary, shows, unrecognised }) => {
    const record = newRecord(receivedSummary(summary, '2026-01-13T08:27:34.567Z'));

    expect(pickShape(record, shows)).toEqual(shows);
    expect(record['unrecognised']).toEqual(unrecognised);
  });
});

const OTHER_EVENTS = ['CALL_STATUS', 'call action', 'CALL_RECORDING_STATUS', 'VIRTUAL_NUMBER_UPDATE'];

describe('readSummary', () => {
  it.each([
    [
      'with comments and trailing commas, which the documentation has,',
      '{"eventType": "SESSION_SUMMARY", /* */ }',
    ],
    ['that is empty', ''],
    ['that is not UTF-8', Buffer.from([0xff])],
  ])('rejects a body %s as invalid JSON', (_, body) => {
    expect(readSummary(body)).toEqual({ outcome: 'invalid-json' });
  });

  it.each(OTHER_EVENTS)('rejects the event %s as unsupported', (eventType) => {
    const event = summaryBody(
      {
        sessionStatus: undefined,
        startTime: undefined,
        endTime: undefined,
        callStatus: 'CALL_RECEIVED',
        // Names that only contain those of a summary.
        lastSessionStatus: 'COMPLETED',
        endTimeZone: 'UTC',
      },
      { eventType },
    );

    expect(readSummary(event)).toEqual({ outcome: 'unsupported-event' });
  });

  it.each(OTHER_EVENTS)(
    'rejects a summary with the event type %s, which legacy pages of 8x8 have, as invalid, so that it is kept',
    (eventType) => {
      for (const payload of [{}, { sessionStatus: null, Details: {} }, { sessionStatus: undefined }])
        expect(readSummary(summaryBody(payload, { eventType }))).toEqual({
          outcome: 'invalid-summary',
          issues: [{ path: 'eventType', message: 'expected SESSION_SUMMARY' }],
        });
    },
  );

  it('rejects a list without events or with several', () => {
    for (const body of ['[]', `[${summaryBody()},${summaryBody()}]`, `[[${summaryBody()}]]`]) {
      expect(readSummary(body)).toEqual({
        outcome: 'invalid-summary',
        issues: [{ path: '', message: 'expected a JSON object' }],
      });
    }
  });

  it('rejects JSON that is not an object', () => {
    for (const body of ['[]', 'null', '"text"', '5']) {
      expect(readSummary(body)).toEqual({
        outcome: 'invalid-summary',
        issues: [{ path: '', message: 'expected a JSON object' }],
      });
    }
  });

  it('accepts another spelling of the event type', () => {
    expect(readSummary(summaryBody({}, { eventType: 'Session Summary' }))).toMatchObject({
      outcome: 'summary',
    });
  });

  it('rejects the flat format of 2020, which has no envelope', () => {
    const flat = {
      sessionId: 's',
      subAccountId: '8x8_test',
      status: 'Completed',
      startTime: '2020-01-01T00:00:00Z',
    };

    expect(readSummary(JSON.stringify(flat))).toEqual({
      outcome: 'invalid-summary',
      issues: [
        { path: 'eventType', message: 'expected SESSION_SUMMARY' },
        { path: 'payload', message: 'expected an object with the summary' },
      ],
    });
  });

  it.each([
    ['payload.sessionId', { sessionId: '' }],
    ['payload.sessionId', { sessionId: 'null' }],
    ['payload.sessionId', { sessionId: 5 }],
    ['payload.sessionId', { sessionId: 'with space' }],
    ['payload.sessionId', { sessionId: 'é' }],
    ['payload.sessionId', { sessionId: 'x'.repeat(129) }],
    ['payload.subAccountId', { subAccountId: null }],
    ['payload.subAccountId', { subAccountId: 'x'.repeat(129) }],
  ])('names the path %s, but does not quote the value, of the invalid payload %j', (path, payload) => {
    const read = readSummary(summaryBody(payload));

    expect(read).toEqual({
      outcome: 'invalid-summary',
      issues: [{ path, message: expect.stringMatching(/^expected /) }],
    });
  });

  it('returns short issues, however long the delivered values are', () => {
    const read = readSummary(
      JSON.stringify({ eventType: 'x'.repeat(10_000), payload: { sessionId: [], x: 'y'.repeat(10_000) } }),
    );

    expect(read).toMatchObject({ outcome: 'invalid-summary' });
    expect(JSON.stringify(read).length).toBeLessThan(1_000);
  });
});
