/**
 * The API key in the text of its secret; blanks and line ends around it do not count.
 *
 * @throws Error that names the secret and what was expected, never what is in it.
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-2.1 for what a bearer token may consist of
 */
export function readApiKey(secretName: string, text: string): string {
  const apiKey = text.trim();
  if (/^[\w.~+/-]+=*$/.test(apiKey)) return apiKey;
  throw new Error(
    `The secret ${secretName} holds no API key: expected the key of https://connect.8x8.com as plain text, ` +
      'without quotes and not as JSON.',
  );
}
