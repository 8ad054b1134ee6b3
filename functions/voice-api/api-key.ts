/**
 * Reads the API key from the text of its secret. Ignores surrounding white space.
 *
 * @throws Error that names the secret and the expected format, but never quotes its content.
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-2.1 for the characters of a bearer token
 */
export function readApiKey(secretName: string, text: string): string {
  const apiKey = text.trim();
  if (/^[\w.~+/-]+=*$/.test(apiKey)) return apiKey;
  throw new Error(
    `The secret ${secretName} does not contain an API key: expected the key from https://connect.8x8.com as plain text, ` +
      'without quotes and not as JSON.',
  );
}
