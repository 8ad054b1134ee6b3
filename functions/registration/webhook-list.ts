import * as v from 'valibot';

/** A webhook as 8x8 lists it. 8x8 never returns the value of its Authorization header. */
export interface Webhook {
  url: string;
  enabled: boolean;
  hasAuthorization: boolean;
}

/** A boolean, or its string form. */
const flag = v.union([
  v.boolean(),
  v.pipe(
    v.string(),
    v.toLowerCase(),
    v.picklist(['true', 'false']),
    v.transform((text) => text === 'true'),
  ),
]);

const VssWebhook = v.pipe(
  v.object({
    url: v.nullish(v.string(), ''),
    enabled: v.nullish(flag),
    active: v.nullish(flag),
    httpAuthHeaderAvailable: v.nullish(flag, false),
  }),
  v.transform(
    ({ url, enabled, active, httpAuthHeaderAvailable }): Webhook => ({
      url,
      // The API reference documents `enabled`, the guides `active`; both default to true.
      enabled: enabled ?? active ?? true,
      hasAuthorization: httpAuthHeaderAvailable,
    }),
  ),
);

const isVss = v.object({
  type: v.pipe(v.string(), v.trim(), v.toUpperCase(), v.literal('VSS')),
});

/** Parses only webhooks of the type VSS, but requires as many webhooks as `count` announces. */
const NonEmptyList = v.pipe(
  v.object({ count: v.optional(v.unknown()), webhooks: v.pipe(v.array(v.unknown()), v.minLength(1)) }),
  v.check(({ count, webhooks }) => !(Number(count) > webhooks.length)),
  v.transform(({ webhooks }) => ({ webhooks: webhooks.filter((item) => v.is(isVss, item)) })),
  v.object({ webhooks: v.array(VssWebhook) }),
);

const zero = v.picklist([0, '0']);

/**
 * The response for a sub-account without webhooks, which 8x8 does not document. The list may be missing if `count` or
 * `statusCode` is zero.
 */
const EmptyList = v.pipe(
  v.union([
    v.object({ count: v.nullish(zero), webhooks: v.pipe(v.array(v.unknown()), v.empty()) }),
    v.object({ count: zero, webhooks: v.nullish(v.never()) }),
    v.object({ count: v.nullish(v.never()), statusCode: zero, webhooks: v.nullish(v.never()) }),
  ]),
  v.transform((): { webhooks: Webhook[] } => ({ webhooks: [] })),
);

const List = v.union([NonEmptyList, EmptyList]);

/** Reads the VSS webhooks from a response body. Returns undefined if the body is not a webhook list. */
export function readWebhookList(body: unknown): Webhook[] | undefined {
  const parsed = v.safeParse(List, body);
  return parsed.success ? parsed.output.webhooks : undefined;
}
