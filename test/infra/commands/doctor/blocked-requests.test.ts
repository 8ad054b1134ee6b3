import { expect, it } from 'vitest';
import { diagnose } from '../../../../infra/commands/doctor/blocked-requests.ts';

it.each([
  ['no request came', { refused: 0, invoked: 0, accepted: 0 }, true],
  ['deliveries are accepted, although others are refused', { refused: 500, invoked: 1, accepted: 1 }, true],
  ['all refused requests reached the function', { refused: 50, invoked: 50, accepted: 0 }, true],
  ['fewer than ten were refused before the function', { refused: 59, invoked: 50, accepted: 0 }, true],
  [
    'ten were refused before the function, and none accepted',
    { refused: 60, invoked: 50, accepted: 0 },
    false,
  ],
])('doctor judges the requests of the last hours if %s', (_, requests, isHealthy) => {
  expect(diagnose(requests)).toMatchObject({ isHealthy });
});

it('doctor names the page with what to do if API Gateway blocks all requests', () => {
  expect(diagnose({ refused: 12, invoked: 0, accepted: 0 }).text).toBe(
    'in 3 hours, 0 accepted, and 12 refused before the function: 8x8 may send from new addresses. Next steps: infra/README.md, "8x8 sends from new addresses"',
  );
});
