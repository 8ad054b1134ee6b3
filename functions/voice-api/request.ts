/** The HTTP response of 8x8, or the reason why there is none. */
export type Answer =
  | { status: number; retryAfterMs: number | undefined; body: unknown }
  | { status: undefined; retryAfterMs?: undefined; body?: undefined; fault: string };

/** Timeout of one request, including its response body. */
export const REQUEST_TIMEOUT_MS = 10_000;

/** Responses have a few kilobytes. A larger body is not read to its end, and counts as empty. */
const MAX_ANSWER_BYTES = 1_000_000;

/** Sends one request. Never rejects. */
export async function request(
  fetch: typeof globalThis.fetch,
  url: string,
  init: RequestInit,
): Promise<Answer> {
  try {
    const response = await fetch(url, {
      ...init,
      // fetch would follow a redirect of a POST with a GET.
      redirect: 'manual',
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    return {
      status: response.status,
      retryAfterMs: readRetryAfter(response.headers.get('Retry-After')),
      body: readJson(await readText(response)),
    };
  } catch (error) {
    return { status: undefined, fault: describeFault(error) };
  }
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_ANSWER_BYTES) return '';
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Reads the Retry-After header, which has seconds or an HTTP date. */
function readRetryAfter(value: string | null): number | undefined {
  if (value === null) return undefined;
  const isSeconds = /^\d+(\.\d+)?$/.test(value.trim());
  const milliseconds = isSeconds ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isNaN(milliseconds) ? undefined : Math.max(0, milliseconds);
}

function describeFault(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${REQUEST_TIMEOUT_MS / 1_000} seconds`;
  // fetch gives the reason only in the cause of its error.
  return `the connection failed: ${error.cause instanceof Error ? error.cause.message : error.message}`;
}
