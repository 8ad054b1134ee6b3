import * as v from 'valibot';

/** A comma-separated list in an environment variable. */
export const List = v.pipe(
  v.string(),
  v.transform((list) => list.split(',')),
);

/**
 * Reads a function's settings from its environment variables, which the stack sets.
 *
 * @throws Error that names each missing or malformed variable, without its value.
 */
export function readEnvironment<const E extends v.ObjectEntries>(
  entries: E,
): v.InferOutput<v.ObjectSchema<E, undefined>> {
  const parsed = v.safeParse(v.object(entries), process.env);
  if (parsed.success) return parsed.output;
  const names = parsed.issues.map((issue) => v.getDotPath(issue));
  throw new Error(
    `Environment variables missing or malformed: ${names.join(', ')}. The stack sets them; deploy it again.`,
  );
}
