import { afterAll } from 'vitest';
import { recorderSuite } from './create-handler-suite.ts';
import { startDynalite } from './dynalite.ts';

const { endpoint, stop } = await startDynalite();
afterAll(stop);

recorderSuite(endpoint);
