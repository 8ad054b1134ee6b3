import * as v from 'valibot';

/** The body of a failed call, of which each part may be missing. */
export interface ErrorBody {
  message: string | undefined;
  code: string | undefined;
  errorId: string | undefined;
}

const code = v.optional(v.pipe(v.union([v.string(), v.number()]), v.transform(String)));

/** The error body of 8x8, whose documentation shows several shapes. */
const Shapes = v.fallback(
  v.object({
    statusMessage: v.optional(v.string()),
    message: v.optional(v.string()),
    statusCode: code,
    code,
    errorId: v.optional(v.string()),
  }),
  {},
);

/** Reads the error body of 8x8 in each of its shapes. Returns no part if it has another one. */
export function readErrorBody(body: unknown): ErrorBody {
  const {
    statusMessage,
    message = statusMessage,
    statusCode,
    code = statusCode,
    errorId,
  } = v.parse(Shapes, body);
  return { message, code, errorId };
}

/**
 * Masks secrets, and the paths of URLs, which may be tokens. Shortens the text, and leaves no character that JSON
 * escapes: CloudFormation limits the whole response to 4 KB.
 */
export function printable(text: string, secrets: readonly string[]): string {
  const withoutSecrets = secrets.reduce((shown, secret) => shown.replaceAll(secret, '***'), text);
  return withoutSecrets
    .replace(/(https?:\/\/)(?:[^\s/@]*@)?([^\s/?#"']*)[^\s"']*/gi, '$1$2/***')
    .replace(/["\\]/g, "'")
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, 300);
}
