/**
 * A text for a terminal or a ticket: of every run of seven digits or more, which may be a phone number, only the
 * last two are left. UUIDs and dates are not touched.
 */
export function masked(text: string): string {
  return text.replace(
    /(?<untouched>\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b\d{4}-\d\d-\d\d(?!\d))|\d(?:[ ().-]*\d){6,}/gi,
    (found, untouched?: string) => untouched ?? `${'*'.repeat(found.length - 2)}${found.slice(-2)}`,
  );
}
