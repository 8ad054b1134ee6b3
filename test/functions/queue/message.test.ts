import { describe, expect, it } from 'vitest';
import { type Delivery, fromMessage, toMessage } from '../../../functions/queue/message.ts';
import { carried } from './carried.ts';

const RECEIVED_AT = '2026-01-13T08:27:34.567Z';

function delivery(body: Delivery['body']): Delivery {
  return { body, receivedAt: RECEIVED_AT, requestId: 'request' };
}

/** Bodies that SQS rejects or alters, with the encoding for each. */
const UNSAFE_AS_TEXT: [string, Delivery['body'], string][] = [
  ['a control character', 'a\u0000b', 'base64'],
  ['a noncharacter', 'a\uFFFEb', 'base64'],
  ['a character above U+FFFF', 'a😀b', 'base64'],
  ['a lone surrogate', 'a\uD800b', 'base64-utf16le'],
  ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x00, 0x7d]), 'base64'],
];

describe('a message', () => {
  it.each(UNSAFE_AS_TEXT)('encodes %s in base64, and names the encoding', (_, body, encoding) => {
    const message = toMessage(delivery(body));

    expect(message.MessageBody).toMatch(/^[A-Za-z0-9+/]+=*$/);
    expect(message.MessageAttributes['encoding']).toEqual({ DataType: 'String', StringValue: encoding });
    expect(fromMessage(carried(message))).toEqual(delivery(body));
  });

  it.each(['{"a":1}', '\t\r\n', 'ÿ\uFFFD\uE000', '\uFEFF{}'])('contains %j unencoded', (body) => {
    const message = toMessage(delivery(body));

    expect(message.MessageBody).toBe(body);
    expect(message.MessageAttributes).not.toHaveProperty('encoding');
    expect(fromMessage(carried(message))).toEqual(delivery(body));
  });

  it('keeps the source of a reconstruction, as a dead letter too', () => {
    const reconstruction = { ...delivery('{}'), reconstructedFrom: 'log-export' };

    expect(fromMessage(carried(toMessage(reconstruction)))).toEqual(reconstruction);
    expect(fromMessage(carried(toMessage(reconstruction, { reason: 'recording-failed' })))).toEqual(
      reconstruction,
    );
  });

  it('has the reason when it is a dead letter', () => {
    const issues = [{ path: 'payload.endTime', message: 'expected a date' }];

    expect(toMessage(delivery('{}'), { reason: 'invalid-summary', issues }).MessageAttributes).toEqual({
      receivedAt: { DataType: 'String', StringValue: RECEIVED_AT },
      requestId: { DataType: 'String', StringValue: 'request' },
      reason: { DataType: 'String', StringValue: 'invalid-summary' },
      issues: { DataType: 'String', StringValue: JSON.stringify(issues) },
    });
  });

  it('takes the time at which a message without attributes was sent as its time of receipt', () => {
    expect(fromMessage({ ...carried(toMessage(delivery('{}'))), messageAttributes: {} })).toEqual({
      body: '{}',
      receivedAt: '2026-01-13T08:27:34.567Z',
      requestId: 'message',
    });
  });

  it.each([
    'yesterday',
    '2026-01-13',
    '2026-01-13T08:27:34Z',
    '2026-02-30T08:27:34.567Z',
    '+275761-01-01T00:00:00.000Z',
    '',
  ])('with the invalid receivedAt %j has the time at which it was sent', (receivedAt) => {
    expect(fromMessage(carried(toMessage({ ...delivery('{}'), receivedAt })))).toEqual(delivery('{}'));
  });

  it('has a time of receipt at most five minutes after it was sent, to allow for clock skew', () => {
    const receivedAtOf = (receivedAt: string) =>
      fromMessage(carried(toMessage({ ...delivery('{}'), receivedAt }))).receivedAt;

    expect(receivedAtOf('2026-01-13T08:32:34.567Z')).toBe('2026-01-13T08:32:34.567Z');
    expect(receivedAtOf('2026-01-13T08:32:34.568Z')).toBe(RECEIVED_AT);
    expect(receivedAtOf('2025-01-13T08:27:34.567Z')).toBe('2025-01-13T08:27:34.567Z');
  });

  it.each(['', 'soon', '1e300'])('with the invalid SentTimestamp %j has the time 0', (SentTimestamp) => {
    const message = {
      ...carried(toMessage(delivery('{}'))),
      attributes: { SentTimestamp },
      messageAttributes: {},
    };

    expect(fromMessage(message).receivedAt).toBe('1970-01-01T00:00:00.000Z');
  });

  it.each(['', 'x'.repeat(129), 'a\nforged line', '+6591178965'])(
    'with the invalid requestId %j has its message id as the request id',
    (requestId) => {
      expect(fromMessage(carried(toMessage({ ...delivery('{}'), requestId })))).toEqual({
        ...delivery('{}'),
        requestId: 'message',
      });
    },
  );

  it('keeps the body of a message with an unknown encoding and malformed attributes unchanged', () => {
    const message = carried(toMessage(delivery('{}')));
    const messageAttributes = {
      encoding: { dataType: 'String', stringValue: 'rot13' },
      receivedAt: { dataType: 'Binary', binaryValue: 'AAAA' },
      requestId: { dataType: 'Number' },
    };

    expect(fromMessage({ ...message, messageAttributes })).toEqual({
      ...delivery('{}'),
      requestId: 'message',
    });
  });

  it.each(['*not base64*', 'YWJj!', 'YWI'])(
    'that is marked as base64, but has the body %j, keeps its body unchanged',
    (body) => {
      const message = carried(toMessage(delivery('a😀b')));

      expect(fromMessage({ ...message, body }).body).toBe(body);
    },
  );
});
