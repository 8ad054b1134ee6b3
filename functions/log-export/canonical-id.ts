const CANONICAL = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/;

/** With anything around it but letters and digits, such as `{…}`, `'…` and `="…"`, and with or without hyphens. */
const UUID =
  /^[^\da-z]*(?:(?:urn:)?uuid:)?([\da-f]{8})-?([\da-f]{4})-?([\da-f]{4})-?([\da-f]{4})-?([\da-f]{12})[^\da-z]*$/i;

/**
 * The form in which two spellings of an id are equal: a UUID in lower case, with hyphens. Any other id is compared
 * exactly.
 */
export function canonicalId(id: string): string {
  if (CANONICAL.test(id)) return id;
  const [, ...parts] = UUID.exec(id) ?? [];
  return parts.length === 0 ? id : parts.join('-').toLowerCase();
}

/** The spellings of an id that the table may have, in which an id is as delivered. */
export function spellingsOf(id: string): string[] {
  const canonical = canonicalId(id);
  const isUuid = CANONICAL.test(canonical);
  return [...new Set([id, canonical, ...(isUuid ? [canonical.toUpperCase()] : [])])];
}

/** A text of its own. V8 keeps the whole file's text in memory for as long as a part of it is used. */
export function copyOf(text: string): string {
  return Buffer.from(text).toString();
}
