interface Placed<T> {
  object: T;
  isChange: boolean;
  /** The hour in the prefix of its export, without its Z; undefined if it has another prefix. */
  time: string | undefined;
}

/**
 * Selects the objects that the newest state of the table needs, from those under a prefix with exports as the stack
 * writes them: `exports/2026-11-21T02Z/AWSDynamoDB/…` and `exports/changes/2026-11-22T02Z/since-…`. All
 * objects, if there is no complete full export of that form.
 *
 * @param asOf Selects also those that the state at this time (ISO 8601) needs.
 */
export function neededObjects<T extends { key: string }>(objects: readonly T[], asOf?: string): T[] {
  const placed = objects.map((object) => ({ object, ...placeOf(object.key) }));
  const isNeeded = [isNeededOf(placed), ...(asOf === undefined ? [] : [isNeededOf(placed, asOf)])];
  return placed.filter((each) => isNeeded.some((needs) => needs(each))).map(({ object }) => object);
}

/** Returns whether the state of the table at a time needs an object. */
function isNeededOf<T extends { key: string }>(
  placed: readonly Placed<T>[],
  asOf = '9',
): (one: Placed<T>) => boolean {
  const fulls = placed
    .filter(({ isChange, object }) => !isChange && object.key.endsWith('/manifest-files.json'))
    .map(({ time = '' }) => time)
    .filter((time) => time <= asOf)
    .toSorted();
  // An export that someone started has the hour before its time in its prefix, so the last one may be too late.
  const oldest = fulls.findLast((time) => time.slice(0, 13) < asOf.slice(0, 13)) || fulls[0];
  if (!oldest) return () => true;
  return ({ isChange, time = '' }) =>
    isChange ? time > oldest && time <= asOf : time >= oldest && fulls.includes(time);
}

function placeOf(key: string): { isChange: boolean; time: string | undefined } {
  const [, changes, time] =
    /(?:^|\/)(changes\/)?(\d{4}-\d\d-\d\dT\d\d)Z\/(?:since-[^/]+\/)?AWSDynamoDB\//.exec(key) ?? [];
  return { isChange: changes !== undefined, time };
}
