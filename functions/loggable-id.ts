/** A text that is a phone number: 7 to 15 digits, optionally with a plus sign, spaces and punctuation. */
const PHONE_NUMBER = /^\+?(?:[ ().-]*\d){7,15}[ ().-]*$/;

/** Masks an id that is a phone number, as some clients choose, except for its last two digits. */
export function loggableId(id: string): string {
  return PHONE_NUMBER.test(id) ? `${id.slice(0, -2).replace(/\d/g, '*')}${id.slice(-2)}` : id;
}
