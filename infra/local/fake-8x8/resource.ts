import type { ApiRequest } from './exchange.ts';
import type { Operation } from './switches.ts';

/** The sub-account in a path of the APIs, and what follows it, still percent-encoded; both empty for any other path. */
export function resourceOf(path: string): { subAccountId: string; rest: string } {
  const [, subAccountId = '', rest = ''] = /^\/api\/v1\/subaccounts\/([^/]+)\/(.+)$/.exec(path) ?? [];
  return { subAccountId: decoded(subAccountId), rest };
}

export function operationOf({ method, path }: Pick<ApiRequest, 'method' | 'path'>): Operation {
  const { rest } = resourceOf(path);
  if (rest.startsWith('messages/download/')) return 'download';
  if (!rest.startsWith('messages/exports')) return 'webhooks';
  return method === 'POST' ? 'start' : 'poll';
}

export function isAuthorized({ authorization }: ApiRequest, apiKey: string): boolean {
  return authorization === `Bearer ${apiKey}`;
}

export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
