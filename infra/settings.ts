import { isIP } from 'node:net';
import * as v from 'valibot';
import { isLoopback } from '../functions/loopback.ts';
import { isJsonObject } from '../functions/vss/json.ts';
import { isTimeZone } from './analytics/time-zone.ts';

/** @see https://developer.8x8.com/connect/docs/voice/voice-ip-addresses */
const ADDRESSES_OF_8X8 = ['18.140.80.2/32', '52.220.253.234/32', '54.255.116.8/32', '52.74.232.241/32'];

/** The retention periods that CloudWatch Logs supports, up to ten years. */
const LOG_RETENTIONS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1_096, 1_827, 2_192, 2_557, 2_922, 3_288,
  3_653,
] as const;

const FRACTION_EXPECTED = 'expected a number from 0 to 1';

const BOUNDARY_EXPECTED = 'expected the ARN of a managed policy';

const SOURCES_EXPECTED = 'expected "any", or a list of 1 to 100 IPv4 addresses or CIDR ranges';

const TIME_ZONE_EXPECTED = 'expected a time zone such as "UTC" or "Asia/Singapore"';

const WEB_ACL_EXPECTED = 'expected the ARN of a regional web ACL (wafv2)';

/** A custom domain name for the webhook. */
const CustomDomain = v.strictObject({
  name: v.pipe(
    v.string('expected a domain name'),
    v.regex(/^(?=.{4,253}$)([a-z0-9-]+\.)+[a-z]{2,}$/, 'expected a lower-case domain name'),
  ),
  /** A certificate for the name in Certificate Manager, in the region of the stage. */
  certificateArn: v.pipe(
    v.string('expected the ARN of a certificate'),
    v.regex(/^arn:[\w-]+:acm:/, 'expected the ARN of a certificate'),
  ),
  /** The hosted zone in Route 53 in which the stack creates the record. Default: you create the record yourself. */
  hostedZoneId: v.optional(v.string('expected the id of a hosted zone')),
  /** Whether the name resolves to the API and can be registered at 8x8. Default: whether `hostedZoneId` is set. */
  isLive: v.optional(v.boolean('expected true or false')),
});

const EVENTS_EXPECTED = 'expected true, false, or an object';

const BUS_EXPECTED = 'expected the ARN of an event bus';

/** Which session events are published, and where. */
const SessionEvents = v.strictObject({
  /** An existing event bus, in the account and region of the stage. Default: the stack creates one. */
  eventBusArn: v.optional(
    v.pipe(v.string(BUS_EXPECTED), v.regex(/^arn:[\w-]+:events:[\w-]+:\d{12}:event-bus\/.+$/, BUS_EXPECTED)),
  ),
  /** Whether all changes are published, or only those from or to an unsuccessful outcome. */
  outcomes: v.optional(v.picklist(['all', 'unsuccessful'], 'expected "all" or "unsuccessful"'), 'all'),
  /** Whether events contain phone numbers. */
  phoneNumbers: v.optional(v.boolean('expected true or false'), false),
});
export type SessionEventSettings = v.InferOutput<typeof SessionEvents>;

/** Whether a string is an address or a CIDR range. IPv4 only, like the endpoint of the API. */
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

/** Whether a URL is https, or http on the loopback interface. Requests to it carry the API key. */
function isApiUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, pathname, search, hash, username, password } = new URL(text);
  const isPrivate = protocol === 'https:' || isLoopback(hostname);
  return (
    /^https?:$/.test(protocol) &&
    isPrivate &&
    /^\/*$/.test(pathname) &&
    `${search}${hash}${username}${password}` === ''
  );
}

const ApiUrl = v.pipe(
  v.string('expected a URL'),
  v.check(isApiUrl, 'expected an https URL, or an http URL on localhost, without a path or query'),
  v.transform((url) => url.replace(/\/+$/, '')),
);

/** The format of sub-account ids at 8x8. @see spec of https://voice.8x8.com, parameter subAccountId */
const SubAccountId = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9\-._&]{3,50}$/, 'expected 3 to 50 of the characters A-Z a-z 0-9 - . _ &'),
);

/** The settings of a stage, under `context.stages` in cdk.json. */
export const Settings = v.strictObject({
  /** The 8x8 sub-accounts whose sessions are recorded. A summary of any other sub-account becomes a dead letter. */
  subAccountIds: v.pipe(
    v.array(SubAccountId, 'expected a list of sub-account ids'),
    v.minLength(1, 'expected at least one sub-account id'),
    v.maxLength(100, 'expected at most 100 sub-account ids; move some to another stage'),
    v.check((ids) => new Set(ids).size === ids.length, 'expected no duplicate sub-account ids'),
    // Lambda limits environment variables to 4 KB in total. The other variables need less than 1 KB, unless the name of
    // the secret has more than 400 characters.
    v.check(
      (ids) => ids.join().length <= 3_000,
      'expected at most 3000 characters in total; move some sub-accounts to another stage',
    ),
  ),
  /** Name of the secret in Secrets Manager that contains the API key for 8x8. */
  apiKeySecretName: v.pipe(
    v.string('expected the name of a secret'),
    v.regex(
      /^[\w/+=.@-]{1,512}$/,
      'expected the name of a secret: 1 to 512 of the characters A-Z a-z 0-9 / _ + = . @ -',
    ),
  ),
  /** Version of the Authorization value that 8x8 sends. Raise it by one to rotate the value. */
  authorizationVersion: v.optional(wholeNumber('expected a whole number of at least 1', 1), 1),
  /** The base URL of 8x8's Webhooks API. */
  webhooksApiUrl: v.optional(ApiUrl, 'https://voice.8x8.com'),
  /** Whether to replace a webhook that someone else registered for a sub-account. */
  takeOver: v.optional(v.boolean('expected true or false'), false),
  /** Whether to remove or keep the registration at 8x8 when a sub-account or the stack is removed. */
  onDelete: v.optional(v.picklist(['remove', 'keep'], 'expected "remove" or "keep"'), 'remove'),
  /** The addresses that may call the webhook; `"any"` allows all. Default: the addresses that 8x8 publishes. */
  allowedSourceIps: v.optional(
    v.union(
      [
        v.literal('any'),
        v.pipe(
          v.array(
            v.pipe(
              v.string(),
              v.check(isAddressRange, 'expected an IPv4 address or CIDR range'),
              v.check(
                (range) => !/\/0+$/.test(range),
                'to allow every address, use "any" instead of the list',
              ),
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
  /** Steady-state limit, in requests per second. API Gateway answers 429 above it. */
  throttlingRate: v.optional(wholeNumber('expected a whole number from 1 to 10000', 1, 10_000), 200),
  /** Burst limit, in requests. */
  throttlingBurst: v.optional(wholeNumber('expected a whole number from 1 to 5000', 1, 5_000), 400),
  /** Whether API Gateway logs each request. Requires a role that someone sets once per account and region. */
  accessLogs: v.optional(v.boolean('expected true or false'), false),
  /** A custom domain name for the webhook. */
  customDomain: v.optional(CustomDomain),
  /** A web ACL of AWS WAF for the API. */
  webAclArn: v.optional(
    v.pipe(
      v.string(WEB_ACL_EXPECTED),
      v.regex(/^arn:[\w-]+:wafv2:[\w-]+:\d{12}:regional\/webacl\/.+$/, WEB_ACL_EXPECTED),
    ),
  ),
  /** Days from the last change of a record to its deletion. Default: records are kept forever. */
  retentionDays: v.optional(wholeNumber('expected a whole number of days from 1 to 36500', 1, 36_500)),
  /** Whether the table and its key are retained when the stack is deleted, and the table is protected from deletion. */
  retainData: v.optional(v.boolean('expected true or false'), true),
  /** Whether the stack's KMS key encrypts queues, table, secrets, exports and logs, instead of keys that AWS owns. */
  customerManagedKey: v.optional(v.boolean('expected true or false'), false),
  /** Batching window of the recorder, in seconds: how long a delivery may wait for others. */
  recorderWindowSeconds: v.optional(
    wholeNumber('expected a whole number of seconds from 0 to 60', 0, 60),
    10,
  ),
  /** Reserved concurrency of the webhook function. Default: none is reserved, and the account's limit applies. */
  webhookConcurrency: v.optional(wholeNumber('expected a whole number from 1 to 1000', 1, 1_000)),
  /** Maximum concurrency of the recorder: the number of batches that are recorded at the same time. */
  recorderConcurrency: v.optional(wholeNumber('expected a whole number from 2 to 1000', 2, 1_000), 10),
  /** Log retention, in days. */
  logRetentionDays: v.optional(
    v.picklist(LOG_RETENTIONS, `expected one of ${LOG_RETENTIONS.join(', ')}`),
    30,
  ),
  /** Fraction of the requests that X-Ray traces. */
  tracedFraction: v.optional(
    v.pipe(v.number(FRACTION_EXPECTED), v.minValue(0, FRACTION_EXPECTED), v.maxValue(1, FRACTION_EXPECTED)),
    0.005,
  ),
  /** The e-mail address that alarms notify. Default: none. */
  alarmEmail: v.optional(
    v.pipe(v.string('expected an e-mail address'), v.email('expected an e-mail address')),
  ),
  /** Adds an alarm that triggers when no session was recorded for this number of hours. Default: no such alarm. */
  noSessionsHours: v.optional(wholeNumber('expected a whole number of hours from 1 to 24', 1, 24)),
  /** The permissions boundary of every role. */
  permissionsBoundaryArn: v.optional(
    v.pipe(v.string(BOUNDARY_EXPECTED), v.regex(/^arn:[\w-]+:iam::\d{12}:policy\/.+$/, BOUNDARY_EXPECTED)),
  ),
  /** Tags for every resource that supports them. */
  tags: v.optional(
    v.pipe(
      v.unknown(),
      // Valibot would accept an array as a record whose keys are its indexes.
      v.check((tags) => !Array.isArray(tags), 'expected an object whose values are strings'),
      v.record(
        v.pipe(
          v.string(),
          v.regex(
            /^(?!aws:).{1,128}$/i,
            'expected a tag name of 1 to 128 characters that does not start with aws:',
          ),
        ),
        v.pipe(v.string('expected a string'), v.maxLength(256, 'expected at most 256 characters')),
        'expected an object whose values are strings',
      ),
    ),
    {},
  ),
  /**
   * Whether sessions that 8x8's log export has and the table does not are recorded, or only reported. `"off"` asks 8x8
   * for nothing.
   */
  reconciliation: v.optional(
    v.picklist(['record', 'report', 'off'], 'expected "record", "report" or "off"'),
    'record',
  ),
  /** The base URL of 8x8's log export. */
  logExportUrl: v.optional(ApiUrl, 'https://voice.wavecell.com'),
  /** Whether changes of sessions are published as EventBridge events; undefined if they are not. */
  sessionEvents: v.optional(
    v.lazy((input) =>
      isJsonObject(input)
        ? SessionEvents
        : v.pipe(
            v.boolean(EVENTS_EXPECTED),
            v.transform((isOn) => (isOn ? v.getDefaults(SessionEvents) : undefined)),
          ),
    ),
    false,
  ),
  /** Whether to export the table to S3 every day, so that analysts can query it in Athena. */
  exports: v.optional(v.boolean('expected true or false'), true),
  /** Hour of the day at which the export starts, in UTC. */
  exportHour: v.optional(wholeNumber('expected a whole number from 0 to 23', 0, 23), 2),
  /** Days from one full export to the next. On the days between, only the changes are exported. */
  fullExportDays: v.optional(wholeNumber('expected a whole number of days from 1 to 30', 1, 30), 7),
  /** Retention of the exports, in days. */
  exportRetentionDays: v.optional(wholeNumber('expected a whole number of days from 1 to 366', 1, 366), 30),
  /** Whether the bucket keeps overwritten and deleted exports for another `exportRetentionDays` days. */
  exportVersioning: v.optional(v.boolean('expected true or false'), false),
  /** Time zone of the days and hours in Athena's views, such as `Asia/Singapore`. */
  timeZone: v.optional(v.pipe(v.string(TIME_ZONE_EXPECTED), v.check(isTimeZone, TIME_ZONE_EXPECTED)), 'UTC'),
  /** Maximum number of gigabytes that one query in Athena may scan. */
  queryScanLimitGigabytes: v.optional(
    wholeNumber('expected a whole number of gigabytes from 1 to 100000', 1, 100_000),
    100,
  ),
  /** Interval in minutes between checks that the webhook is still registered at 8x8. */
  registrationCheckMinutes: v.optional(
    wholeNumber('expected a whole number of minutes from 5 to 1440', 5, 1_440),
    60,
  ),
});
export type Settings = v.InferOutput<typeof Settings>;
