import { afterAll } from 'vitest';
import { convergenceSuite } from './convergence-suite.ts';
import { startDynalite } from './dynalite.ts';

const { endpoint, stop } = await startDynalite();
afterAll(stop);

convergenceSuite(endpoint);
