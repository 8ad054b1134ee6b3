import * as v from 'valibot';

/** 8x8's own rule for sub-account ids. @see spec of https://voice.8x8.com, parameter subAccountId */
const SubAccountId = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9\-._&]{3,50}$/, 'expected 3 to 50 of the characters A-Z a-z 0-9 - . _ &'),
);

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
  const { protocol, hostname, search, hash, username, password } = new URL(text);
  const isPrivate = protocol === 'https:' || /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
  return /^https?:$/.test(protocol) && isPrivate && `${search}${hash}${username}${password}` === '';
}

/** A stage's settings, under `context.stages` in cdk.json. */
const Settings = v.strictObject({
  /** The 8x8 sub-accounts whose sessions are recorded; a summary of any other is kept as a dead letter. */
  subAccountIds: v.pipe(
    v.array(SubAccountId, 'expected a list of sub-account ids'),
    v.minLength(1, 'expected at least one sub-account id'),
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
      v.check(isApiUrl, 'expected an https URL, or an http URL of this machine, without query'),
      v.transform((url) => url.replace(/\/+$/, '')),
    ),
    'https://voice.8x8.com',
  ),
  /** Whether a webhook that someone else registered for a sub-account is replaced. */
  takeOver: v.optional(v.boolean('expected true or false'), false),
  /** What becomes of the registration at 8x8 when a sub-account or the stack is removed. */
  onDelete: v.optional(v.picklist(['remove', 'keep'], 'expected "remove" or "keep"'), 'remove'),
  /** How often, in minutes, it is checked that 8x8 still has the webhook registered. */
  registrationCheckMinutes: v.optional(
    wholeNumber('expected a whole number of minutes from 5 to 1440', 5, 1_440),
    60,
  ),
});
export type Settings = v.InferOutput<typeof Settings>;

export interface Stage {
  name: string;
  settings: Settings;
}

/** What the CDK app takes from its context is not as expected. The message is for whoever wrote the context. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError';
}

/**
 * The settings of the stage chosen with `-c stage=…` (default `dev`).
 *
 * @throws ConfigurationError that names the key, what was expected, and the stages that exist.
 */
export function readStage(stages: unknown, chosen: unknown = 'dev'): Stage {
  if (typeof stages !== 'object' || stages === null || Array.isArray(stages)) {
    throw new ConfigurationError('cdk.json has no stages: expected an object under context.stages.');
  }
  const known = new Map<string, unknown>(Object.entries(stages));
  const existing = `Stages in cdk.json: ${[...known.keys()].join(', ') || 'none'}.`;
  if (typeof chosen !== 'string' || !known.has(chosen)) {
    throw new ConfigurationError(`There is no stage "${chosen}". ${existing} Choose one with -c stage=NAME.`);
  }
  if (!/^[A-Za-z][A-Za-z0-9-]{0,62}$/.test(chosen)) {
    throw new ConfigurationError(
      `"${chosen}" cannot name a stage: expected a letter, then up to 62 letters, digits or hyphens. ${existing}`,
    );
  }
  const parsed = v.safeParse(Settings, known.get(chosen));
  if (parsed.success) return { name: chosen, settings: parsed.output };
  const complaints = parsed.issues.map((issue) => `  ${describe(`context.stages.${chosen}`, issue)}`);
  throw new ConfigurationError(`cdk.json has faults:\n${complaints.join('\n')}\n${existing}`);
}

function describe(stage: string, issue: v.InferIssue<typeof Settings>): string {
  const path = v.getDotPath(issue);
  const key = path === null ? stage : `${stage}.${path}`;
  if (issue.type === 'strict_object') {
    if (issue.expected === 'never')
      return `${key}: no such setting. Settings: ${Object.keys(Settings.entries).join(', ')}.`;
    if (issue.expected !== 'Object') return `${key}: missing.`;
    return `${key}: expected an object.`;
  }
  return `${key}: ${issue.message}.`;
}
