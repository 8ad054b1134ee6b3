import { readSecret } from '../secrets.ts';
import { createHandler } from './create-handler.ts';

export const handler = createHandler(readSecret);
