const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{[]\s*[}\]]|[{}[\],:]|\s+/g;

/** Indents JSON without parsing its values, so numbers keep all their digits. Returns other text unchanged. */
export function prettyJson(text: string): string {
  if (!isJson(text)) return text;
  let depth = 0;
  const line = () => `\n${'  '.repeat(depth)}`;
  return text.replace(TOKEN, (token) => {
    if (token.startsWith('"')) return token;
    if (token.trim() === '') return '';
    if (token === ':') return ': ';
    if (token === ',') return `,${line()}`;
    if (token.length > 1) return token.replace(/\s+/, '');
    if (token === '}' || token === ']') {
      depth--;
      return `${line()}${token}`;
    }
    depth++;
    return `${token}${line()}`;
  });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
