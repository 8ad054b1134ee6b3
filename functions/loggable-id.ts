/** A phone number as a whole: 7 to 15 digits, perhaps with a plus sign, spaces and punctuation. */
const PHONE_NUMBER = /^\+?(?:[ ().-]*\d){7,15}[ ().-]*$/;

/** An id as a log may have it. One that is a phone number, as some clients choose, has only its last two digits. */
export function loggableId(id: string): string {
  return PHONE_NUMBER.test(id) ? `${id.slice(0, -2).replace(/\d/g, '*')}${id.slice(-2)}` : id;
}
