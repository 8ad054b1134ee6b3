import * as v from 'valibot';

/** A webhook as 8x8 shows it. The value of its Authorization header is never shown. */
export interface Webhook {
  url: string;
  enabled: boolean;
  hasAuthorization: boolean;
}

/** A boolean, also as text. */
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
      // The API description says `enabled`, the guides say `active`; both default to true.
      enabled: enabled ?? active ?? true,
      hasAuthorization: httpAuthHeaderAvailable,
    }),
  ),
);

const isVss = v.object({
  type: v.pipe(v.string(), v.trim(), v.toUpperCase(), v.literal('VSS')),
});

/** Only webhooks of the type VSS are read: what 8x8 says of others is no concern of ours. But all have to be there. */
const NonEmptyList = v.pipe(
  v.object({ count: v.optional(v.unknown()), webhooks: v.pipe(v.array(v.unknown()), v.minLength(1)) }),
  v.check(({ count, webhooks }) => !(Number(count) > webhooks.length)),
  v.transform(({ webhooks }) => ({ webhooks: webhooks.filter((item) => v.is(isVss, item)) })),
  v.object({ webhooks: v.array(VssWebhook) }),
);

const zero = v.picklist([0, '0']);

/**
 * The list of a sub-account without webhooks, which is not documented: it may be missing, if something else says that
 * the answer is about webhooks and that there are none.
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

/** The VSS webhooks in the body of an answer; undefined where it is no list of webhooks. */
export function readWebhookList(body: unknown): Webhook[] | undefined {
  const parsed = v.safeParse(List, body);
  return parsed.success ? parsed.output.webhooks : undefined;
}
