import { expect, it } from 'vitest';
import { fromItem, toItem } from '../../../functions/recorder/item.ts';

const attributes = {
  text: '',
  number: -1.5,
  large: 9007199254740991,
  small: 1e-100,
  yes: true,
  no: false,
  nothing: null,
  list: [1, 'a', [], {}, null],
  map: { constructor: { name: 'Set' }, inner: { deep: [{ a: 1 }] } },
};

it('maps JSON values to DynamoDB’s types', () => {
  expect(toItem(attributes)).toEqual({
    text: { S: '' },
    number: { N: '-1.5' },
    large: { N: '9007199254740991' },
    small: { N: '1e-100' },
    yes: { BOOL: true },
    no: { BOOL: false },
    nothing: { NULL: true },
    list: { L: [{ N: '1' }, { S: 'a' }, { L: [] }, { M: {} }, { NULL: true }] },
    map: {
      M: {
        constructor: { M: { name: { S: 'Set' } } },
        inner: { M: { deep: { L: [{ M: { a: { N: '1' } } }] } } },
      },
    },
  });
});

it('leaves out undefined values at any depth', () => {
  expect(toItem({ a: undefined, b: { c: undefined } })).toEqual({ b: { M: {} } });
});

it('round-trips any value', () => {
  expect(fromItem(toItem(attributes))).toEqual(attributes);
});
