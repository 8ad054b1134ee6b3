import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ERROR_CODES } from '../../../functions/vss/error-codes.ts';

it('ERROR_CODES has every code that 8x8 publishes for summaries', () => {
  const published = [-2001, -2002, -2003, -2004, -2005, -2006, -2007, -2008, -2009, -2010, -9999];

  expect([...ERROR_CODES.keys()]).toEqual(published);
});

it('the README has every error code', () => {
  const readme = readFileSync(new URL('../../../functions/vss/README.md', import.meta.url), 'utf8');

  for (const [code, { message, meaning, retryCanHelp }] of ERROR_CODES) {
    const reading = `${meaning.charAt(0).toLowerCase()}${meaning.slice(1)}`;
    expect(readme).toContain(`| ${code} | ${message} | ${retryCanHelp ? 'yes' : 'no'}: ${reading} |`);
  }
});
