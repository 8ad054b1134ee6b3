import { Fake8x8 } from '../../../infra/local/fake-8x8/fake-8x8.ts';
import { virtualClock } from '../virtual-clock.ts';

export const API_KEY = 'key-of-8x8-0123456789+/==';

/** The fake 8x8 without a network: its API, a `fetch` that calls it, and a virtual clock. */
export function inMemory8x8(subAccountIds: readonly string[]) {
  const api = new Fake8x8(API_KEY, subAccountIds, {
    pause: async () => {
      throw new DOMException('The operation was aborted due to timeout', 'TimeoutError');
    },
  });
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    try {
      const { origin, pathname } = new URL(request.url);
      const { status, headers, body, content } = await api.handle({
        method: request.method,
        origin,
        path: pathname,
        authorization: request.headers.get('Authorization') ?? undefined,
        body: await request.text(),
      });
      const text = body === undefined ? null : JSON.stringify(body);
      return new Response(content ? ReadableStream.from(content) : text, { status, headers: headers ?? {} });
    } catch (error) {
      if (error instanceof DOMException) throw error;
      throw new TypeError('fetch failed', { cause: new Error('other side closed') });
    }
  };
  return { api, fetch, ...virtualClock() };
}
