import { isJsonObject } from '../../functions/vss/json.ts';

/**
 * Evaluates the input template of a pipe: the part of the language that pipe-template.ts uses, which is paths of names,
 * with and without quotation marks around them.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html
 * @throws Error if the template uses another part, a path does not exist, or the result is not JSON.
 */
export function evaluateTemplate(template: string, event: unknown): unknown {
  let isInString = false;
  const text = template.replace(/"|<([^>]*)>/g, (token, path: string | undefined) => {
    if (path === undefined) {
      isInString = !isInString;
      return token;
    }
    const value = valueAt(path, event);
    return isInString ? inString(value) : unquoted(value);
  });
  return JSON.parse(text);
}

/** The paths in a template. */
const PATHS = /<([^>]*)>/g;

/** Whether a template has only paths that can be evaluated here. */
export function isSupportedTemplate(template: string): boolean {
  return [...template.matchAll(PATHS)].every(([, path = '']) => PATH.test(path));
}

const PATH = /^\$(\.[\w-]+)+$/;

/** The value at a path such as `$.dynamodb.NewImage.revision.N`. */
export function valueAt(path: string, event: unknown): unknown {
  if (!PATH.test(path)) throw new Error(`The path ${path} is not supported on this machine.`);
  const value = path
    .split('.')
    .slice(1)
    .reduce<unknown>((object, name) => (isJsonObject(object) ? object[name] : undefined), event);
  // AWS does not document the result.
  if (value === undefined) throw new Error(`The path ${path} does not exist.`);
  return value;
}

/** Texts are put between quotation marks, but not escaped. */
function unquoted(value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : JSON.stringify(value);
}

function inString(value: unknown): string {
  if (typeof value === 'object')
    throw new Error('An object inside a string is not supported on this machine.');
  return String(value);
}
