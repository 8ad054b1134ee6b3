import * as v from 'valibot';
import { afterEach, expect, it, vi } from 'vitest';
import { List, readEnvironment } from '../../functions/environment.ts';

afterEach(() => vi.unstubAllEnvs());

it('reads the environment variables of a function', () => {
  vi.stubEnv('SOME_URL', 'https://example.com');
  vi.stubEnv('SOME_LIST', 'a,b');

  expect(readEnvironment({ SOME_URL: v.string(), SOME_LIST: List })).toEqual({
    SOME_URL: 'https://example.com',
    SOME_LIST: ['a', 'b'],
  });
});

it('names each missing or malformed variable in the error, without its value', () => {
  vi.stubEnv('SOME_NUMBER', 'secret');

  expect(() => readEnvironment({ SOME_NUMBER: v.pipe(v.string(), v.digits()), MISSING: v.string() })).toThrow(
    /^Environment variables missing or malformed: SOME_NUMBER, MISSING\. The stack sets them; deploy it again\.$/,
  );
});
