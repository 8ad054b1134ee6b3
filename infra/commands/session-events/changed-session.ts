import { isJsonObject } from '../../../functions/vss/json.ts';
import { DETAIL_TYPE_PATH, eventDetail } from '../../session-events/event-detail.ts';

/** The event that the pipe would have published of a change. */
export interface ChangedSession {
  detailType: string;
  detail: ReturnType<typeof eventDetail>;
}

/** Reads the event in a record of the table's stream; undefined if it has none. */
export function changedSession(record: unknown): ChangedSession | undefined {
  try {
    // The recorder stores texts as the content of a JSON string.
    const text = (path: string) => String(JSON.parse(`"${valueAt(path, record)}"`));
    const detail = eventDetail({ text, flag: (path) => valueAt(path, record) === true });
    return { detailType: text(DETAIL_TYPE_PATH), detail };
  } catch (error) {
    if (error instanceof MissingValueError) return undefined;
    throw error;
  }
}

class MissingValueError extends Error {}

/** The value at a path such as `$.dynamodb.NewImage.revision.N`. */
function valueAt(path: string, record: unknown): unknown {
  const [, ...names] = path.split('.');
  const value = names.reduce<unknown>(
    (object, name) => (isJsonObject(object) ? object[name] : undefined),
    record,
  );
  if (value === undefined) throw new MissingValueError(path);
  return value;
}
