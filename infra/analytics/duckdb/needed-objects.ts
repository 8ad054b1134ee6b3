/**
 * Selects the objects that the newest state of the table needs, from those under a prefix with exports as the stack
 * writes them: `exports/2026-11-21T02:00:00Z/AWSDynamoDB/…` and `exports/changes/2026-11-22T02:00:00Z/since-…`. All
 * objects, if there is no complete full export of that form.
 */
export function neededObjects<T extends { key: string }>(objects: readonly T[]): T[] {
  const placed = objects.map((object) => ({ object, ...placeOf(object.key) }));
  const newestFull = placed
    .filter(({ isChange, object }) => !isChange && object.key.endsWith('/manifest-files.json'))
    .map(({ time = '' }) => time)
    .toSorted()
    .at(-1);
  if (!newestFull) return [...objects];
  return placed
    .filter(({ isChange, time = '' }) => (isChange ? time > newestFull : time === newestFull))
    .map(({ object }) => object);
}

function placeOf(key: string): { isChange: boolean; time: string | undefined } {
  const [, changes, time] =
    /(?:^|\/)(changes\/)?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)\/(?:since-[^/]+\/)?AWSDynamoDB\//.exec(key) ?? [];
  return { isChange: changes !== undefined, time };
}
