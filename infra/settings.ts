import { isIP } from 'node:net';
import * as v from 'valibot';

/** @see https://developer.8x8.com/connect/docs/voice/voice-ip-addresses */
const ADDRESSES_OF_8X8 = ['18.140.80.2/32', '52.220.253.234/32', '54.255.116.8/32', '52.74.232.241/32'];

/** What CloudWatch Logs offers, up to ten years. */
const LOG_RETENTIONS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1_096, 1_827, 2_192, 2_557, 2_922, 3_288,
  3_653,
] as const;

const FRACTION_EXPECTED = 'expected a number from 0 to 1';

const BOUNDARY_EXPECTED = 'expected the ARN of a managed policy';

const SOURCES_EXPECTED = 'expected "any" or a list of 1 to 100 addresses or CIDR ranges';

const WEB_ACL_EXPECTED = 'expected the ARN of a regional web ACL (wafv2)';

/** A name of one's own for the webhook. */
const CustomDomain = v.strictObject({
  name: v.pipe(
    v.string('expected a domain name'),
    v.regex(/^(?=.{4,253}$)([a-z0-9-]+\.)+[a-z]{2,}$/, 'expected a domain name in lower case'),
  ),
  /** Of a certificate for it in Certificate Manager, in the region of the stage. */
  certificateArn: v.pipe(
    v.string('expected the ARN of a certificate'),
    v.regex(/^arn:[\w-]+:acm:/, 'expected the ARN of a certificate'),
  ),
  /** Of the hosted zone in Route 53 that gets its record. Without, the record is yours to make. */
  hostedZoneId: v.optional(v.string('expected the id of a hosted zone')),
  /** Whether the name leads to the API, so that it can be registered at 8x8. With a hosted zone it does. */
  isLive: v.optional(v.boolean('expected true or false')),
});

/** An address, or a range of them in CIDR notation. Of IPv4: that is what API Gateway's endpoint has. */
function isAddressRange(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  const isPrefix = prefix === undefined || (/^\d{1,2}$/.test(prefix) && Number(prefix) <= 32);
  return isIP(address) === 4 && isPrefix && rest.length === 0;
}

function wholeNumber(expected: string, min: number, max = Number.MAX_SAFE_INTEGER) {
  return v.pipe(
    v.number(expected),
    v.integer(expected),
    v.minValue(min, expected),
    v.maxValue(max, expected),
  );
}

/** https, or http on the loopback interface: the API key goes there. */
function isApiUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, pathname, search, hash, username, password } = new URL(text);
  const isPrivate = protocol === 'https:' || /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
  return (
    /^https?:$/.test(protocol) &&
    isPrivate &&
    /^\/*$/.test(pathname) &&
    `${search}${hash}${username}${password}` === ''
  );
}

/** 8x8's own rule for sub-account ids. @see spec of https://voice.8x8.com, parameter subAccountId */
const SubAccountId = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9\-._&]{3,50}$/, 'expected 3 to 50 of the characters A-Z a-z 0-9 - . _ &'),
);

/** A stage's settings, under `context.stages` in cdk.json. */
export const Settings = v.strictObject({
  /** The 8x8 sub-accounts whose sessions are recorded; a summary of any other is kept as a dead letter. */
  subAccountIds: v.pipe(
    v.array(SubAccountId, 'expected a list of sub-account ids'),
    v.minLength(1, 'expected at least one sub-account id'),
    v.maxLength(100, 'expected at most 100 sub-account ids; use one stage more'),
    v.check((ids) => new Set(ids).size === ids.length, 'expected each sub-account id once'),
    // Lambda takes 4 KB of environment variables in all; the others need less than 1 KB.
    v.check(
      (ids) => ids.join().length <= 3_000,
      'expected at most 3000 characters in all; use one stage more',
    ),
  ),
  /** Name of the secret in Secrets Manager that holds the API key for 8x8. */
  apiKeySecretName: v.pipe(
    v.string('expected the name of a secret'),
    v.regex(
      /^[\w/+=.@-]{1,512}$/,
      'expected the name of a secret: 1 to 512 of the characters A-Z a-z 0-9 / _ + = . @ -',
    ),
  ),
  /** Version of the Authorization value that 8x8 sends. Raise it by one to rotate the value; the previous one stays accepted. */
  authorizationVersion: v.optional(wholeNumber('expected a whole number from 1', 1), 1),
  /** Where 8x8's Webhooks API is. */
  webhooksApiUrl: v.optional(
    v.pipe(
      v.string('expected a URL'),
      v.check(isApiUrl, 'expected an https URL, or an http URL of this machine, without path and query'),
      v.transform((url) => url.replace(/\/+$/, '')),
    ),
    'https://voice.8x8.com',
  ),
  /** Whether a webhook that someone else registered for a sub-account is replaced. */
  takeOver: v.optional(v.boolean('expected true or false'), false),
  /** What becomes of the registration at 8x8 when a sub-account or the stack is removed. */
  onDelete: v.optional(v.picklist(['remove', 'keep'], 'expected "remove" or "keep"'), 'remove'),
  /** The addresses that may call the webhook, as 8x8 publishes them. `"any"` for all. */
  allowedSourceIps: v.optional(
    v.union(
      [
        v.literal('any'),
        v.pipe(
          v.array(
            v.pipe(
              v.string(),
              v.check(isAddressRange, 'expected an IPv4 address or CIDR range'),
              v.check((range) => !/\/0+$/.test(range), 'for every address, say "any" instead of the list'),
            ),
          ),
          v.minLength(1, SOURCES_EXPECTED),
          v.maxLength(100, SOURCES_EXPECTED),
        ),
      ],
      SOURCES_EXPECTED,
    ),
    ADDRESSES_OF_8X8,
  ),
  /** Requests per second that the webhook takes in the long run; more are answered 429. */
  throttlingRate: v.optional(wholeNumber('expected a whole number from 1 to 10000', 1, 10_000), 200),
  /** Requests that it takes at once. */
  throttlingBurst: v.optional(wholeNumber('expected a whole number from 1 to 5000', 1, 5_000), 400),
  /** Whether API Gateway logs each request. The account and region need the role for that, set once by hand. */
  accessLogs: v.optional(v.boolean('expected true or false'), false),
  /** A name of one's own for the webhook. */
  customDomain: v.optional(CustomDomain),
  /** A web ACL of AWS WAF for the API. */
  webAclArn: v.optional(
    v.pipe(
      v.string(WEB_ACL_EXPECTED),
      v.regex(/^arn:[\w-]+:wafv2:[\w-]+:\d{12}:regional\/webacl\/.+$/, WEB_ACL_EXPECTED),
    ),
  ),
  /** How many days after its last change a record is deleted; never, where it is not given. */
  retentionDays: v.optional(wholeNumber('expected a whole number of days from 1 to 36500', 1, 36_500)),
  /** Whether the table, and what protects it, outlives the stack and cannot be deleted. */
  retainData: v.optional(v.boolean('expected true or false'), true),
  /** Whether a key of the stack encrypts queues, table, secrets and logs, instead of AWS's own. */
  customerManagedKey: v.optional(v.boolean('expected true or false'), false),
  /** How many seconds a delivery may wait for others, to be recorded with them. */
  recorderWindowSeconds: v.optional(
    wholeNumber('expected a whole number of seconds from 0 to 60', 0, 60),
    10,
  ),
  /** How many deliveries the webhook may take at a time, reserved in the account; as many as there are, where it is not given. */
  webhookConcurrency: v.optional(wholeNumber('expected a whole number from 1 to 1000', 1, 1_000)),
  /** How many batches are recorded at a time. */
  recorderConcurrency: v.optional(wholeNumber('expected a whole number from 2 to 1000', 2, 1_000), 10),
  /** Log retention, in days. */
  logRetentionDays: v.optional(
    v.picklist(LOG_RETENTIONS, `expected one of ${LOG_RETENTIONS.join(', ')}`),
    30,
  ),
  /** Which part of the requests is traced with X-Ray. */
  tracedFraction: v.optional(
    v.pipe(v.number(FRACTION_EXPECTED), v.minValue(0, FRACTION_EXPECTED), v.maxValue(1, FRACTION_EXPECTED)),
    0.005,
  ),
  /** Who is told of alarms by e-mail. */
  alarmEmail: v.optional(
    v.pipe(v.string('expected an e-mail address'), v.email('expected an e-mail address')),
  ),
  /** Alarms when no session was recorded for so many hours; never, where it is not given. */
  noSessionsHours: v.optional(wholeNumber('expected a whole number of hours from 1 to 24', 1, 24)),
  /** The permissions boundary of every role. */
  permissionsBoundaryArn: v.optional(
    v.pipe(v.string(BOUNDARY_EXPECTED), v.regex(/^arn:[\w-]+:iam::\d{12}:policy\/.+$/, BOUNDARY_EXPECTED)),
  ),
  /** On everything that takes tags. */
  tags: v.optional(
    v.pipe(
      v.unknown(),
      // An array would be taken for a record of its elements.
      v.check((tags) => !Array.isArray(tags), 'expected an object of texts'),
      v.record(
        v.pipe(
          v.string(),
          v.regex(/^(?!aws:).{1,128}$/i, 'expected a name of up to 128 characters, not aws:…'),
        ),
        v.pipe(v.string('expected a text'), v.maxLength(256, 'expected up to 256 characters')),
        'expected an object of texts',
      ),
    ),
    {},
  ),
  /** Whether the table is exported to S3 every day, for analysts to query in Athena. */
  exports: v.optional(v.boolean('expected true or false'), true),
  /** At which hour of the day, in UTC. */
  exportHour: v.optional(wholeNumber('expected a whole hour from 0 to 23', 0, 23), 2),
  /** After how many days an export is deleted. */
  exportRetentionDays: v.optional(wholeNumber('expected a whole number of days from 1 to 366', 1, 366), 30),
  /** Whether the bucket of the exports keeps what was overwritten or deleted, for as many days again. */
  exportVersioning: v.optional(v.boolean('expected true or false'), false),
  /** How much one query in Athena may read. */
  queryScanLimitGigabytes: v.optional(
    wholeNumber('expected a whole number of gigabytes from 1 to 100000', 1, 100_000),
    100,
  ),
  /** How often, in minutes, it is checked that 8x8 still has the webhook registered. */
  registrationCheckMinutes: v.optional(
    wholeNumber('expected a whole number of minutes from 5 to 1440', 5, 1_440),
    60,
  ),
});
export type Settings = v.InferOutput<typeof Settings>;
