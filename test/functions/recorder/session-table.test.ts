import { afterAll } from 'vitest';
import { startDynalite } from './dynalite.ts';
import { sessionTableSuite } from './session-table-suite.ts';

const { endpoint, stop } = await startDynalite();
afterAll(stop);

sessionTableSuite(endpoint);
