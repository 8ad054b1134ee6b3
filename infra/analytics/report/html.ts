/** Trusted HTML. The template escapes all other text. */
export interface Markup {
  markup: string;
}

type Inserted = string | number | Markup | readonly Markup[] | undefined;

/** An HTML template, which escapes inserted text so that it cannot end an element or an attribute. */
export function html(parts: TemplateStringsArray, ...inserted: readonly Inserted[]): Markup {
  return { markup: parts.map((part, i) => part + markupOf(inserted[i])).join('') };
}

function markupOf(value: Inserted): string {
  if (value === undefined) return '';
  if (typeof value === 'string' || typeof value === 'number') return escaped(String(value));
  return 'markup' in value ? value.markup : value.map(({ markup }) => markup).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
