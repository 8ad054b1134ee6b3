import { isTimeZone } from '../../analytics/time-zone.ts';
import { UsageError } from './command.ts';

/** Parses a time zone of the IANA database. @throws UsageError */
export function timeZone(text: string): string {
  if (isTimeZone(text)) return text;
  throw new UsageError(`Invalid --time-zone "${text}": expected UTC, or a name such as Asia/Singapore`);
}
