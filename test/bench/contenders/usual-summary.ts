import { z } from 'zod';

/** The schema of a Voice Session Summary according to 8x8's documentation. Undocumented fields are kept. */

const callQuality = z.looseObject({
  mos: z.number().optional(),
  packetLossRate: z.number().optional(),
  jitter: z.number().optional(),
});

const errorDetails = z.looseObject({ errorCode: z.coerce.number(), errorMsg: z.string().optional() });

const leg = z.looseObject({
  callId: z.string(),
  callDirection: z.enum(['INBOUND', 'OUTBOUND']).optional(),
  callType: z.enum(['PSTN', 'VOIP']).optional(),
  callStatus: z.string().optional(),
  initiatedTimestamp: z.iso.datetime({ offset: true }).optional(),
  connectedTimestamp: z.iso.datetime({ offset: true }).nullish(),
  disconnectedTimestamp: z.iso.datetime({ offset: true }).optional(),
  callDuration: z.coerce.number().optional(),
  source: z.string().optional(),
  sourceFormat: z.string().optional(),
  sourceCountryCode: z.string().optional(),
  sourceRefId: z.string().nullish(),
  destination: z.string().optional(),
  destinationFormat: z.string().optional(),
  destinationCountryCode: z.string().optional(),
  destinationRefId: z.string().nullish(),
  callQuality: callQuality.nullish(),
});

export const VoiceSessionSummary = z.looseObject({
  namespace: z.literal('VOICE'),
  eventType: z.literal('SESSION_SUMMARY'),
  description: z.string().optional(),
  version: z.number().optional(),
  payload: z.looseObject({
    sessionId: z.string().min(1),
    subAccountId: z.string().min(1),
    sessionStatus: z.string(),
    startTime: z.iso.datetime({ offset: true }),
    endTime: z.iso.datetime({ offset: true }),
    lastAction: z.string().optional(),
    callCount: z.number().optional(),
    clientRequestId: z.string().nullish(),
    errorDetails: errorDetails.nullish(),
    details: z.record(z.string(), leg).optional(),
  }),
});
