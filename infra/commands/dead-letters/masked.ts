/**
 * Masks a text for a terminal or a ticket: a run of seven or more digits may be a phone number, so all but its last two
 * digits are replaced. UUIDs and dates are not changed.
 */
export function masked(text: string): string {
  return text.replace(
    /(?<untouched>\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b\d{4}-\d\d-\d\d(?!\d))|\d(?:[ ().-]*\d){6,}/gi,
    (found, untouched?: string) => untouched ?? `${'*'.repeat(found.length - 2)}${found.slice(-2)}`,
  );
}
