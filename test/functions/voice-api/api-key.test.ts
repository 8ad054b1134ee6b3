import { describe, expect, it } from 'vitest';
import { readApiKey } from '../../../functions/voice-api/api-key.ts';

describe('the API key', () => {
  it('is read from its secret without surrounding white space', () => {
    expect(readApiKey('name', ' abc.DEF-123_~+/==\n')).toBe('abc.DEF-123_~+/==');
  });

  it.each(['{"apiKey":"abc"}', '"abc"', 'Bearer abc', ''])(
    'is not accepted as %j, and the message does not quote it',
    (text) => {
      expect(() => readApiKey('some/name', text)).toThrow(
        'The secret some/name does not contain an API key: expected the key from https://connect.8x8.com as plain text',
      );
    },
  );
});
