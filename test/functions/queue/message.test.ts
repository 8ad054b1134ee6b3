import { describe, expect, it } from 'vitest';
import { type Delivery, fromMessage, toMessage } from '../../../functions/queue/message.ts';
import { carried } from './carried.ts';

const RECEIVED_AT = '2026-01-13T08:27:34.567Z';

function delivery(body: Delivery['body']): Delivery {
  return { body, receivedAt: RECEIVED_AT, requestId: 'request' };
}

/** Bodies that SQS refuses or alters, with the encoding that carries them. */
const NOT_CARRIED_AS_TEXT: [string, Delivery['body'], string][] = [
  ['a control character', 'a\u0000b', 'base64'],
  ['a character that is none', 'a\uFFFEb', 'base64'],
  ['a character above U+FFFF', 'a😀b', 'base64'],
  ['a lone surrogate', 'a\uD800b', 'base64-utf16le'],
  ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x00, 0x7d]), 'base64'],
];

describe('a message', () => {
  it.each(NOT_CARRIED_AS_TEXT)('carries %s in base64 and says so', (_, body, encoding) => {
    const message = toMessage(delivery(body));

    expect(message.MessageBody).toMatch(/^[A-Za-z0-9+/]+=*$/);
    expect(message.MessageAttributes['encoding']).toEqual({ DataType: 'String', StringValue: encoding });
    expect(fromMessage(carried(message))).toEqual(delivery(body));
  });

  it.each(['{"a":1}', '\t\r\n', 'ÿ\uFFFD\uE000', '\uFEFF{}'])('carries %j as it is', (body) => {
    const message = toMessage(delivery(body));

    expect(message.MessageBody).toBe(body);
    expect(message.MessageAttributes).not.toHaveProperty('encoding');
    expect(fromMessage(carried(message))).toEqual(delivery(body));
  });

  it('of a dead letter says why it is one', () => {
    const issues = [{ path: 'payload.endTime', message: 'expected a date' }];

    expect(toMessage(delivery('{}'), { reason: 'invalid-summary', issues }).MessageAttributes).toEqual({
      receivedAt: { DataType: 'String', StringValue: RECEIVED_AT },
      requestId: { DataType: 'String', StringValue: 'request' },
      reason: { DataType: 'String', StringValue: 'invalid-summary' },
      issues: { DataType: 'String', StringValue: JSON.stringify(issues) },
    });
  });

  it('sent by hand, without attributes, is a delivery received when it was sent', () => {
    expect(fromMessage({ ...carried(toMessage(delivery('{}'))), messageAttributes: {} })).toEqual({
      body: '{}',
      receivedAt: '2026-01-13T08:27:34.567Z',
      requestId: 'message',
    });
  });
});
