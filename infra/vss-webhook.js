#!/usr/bin/env node
// Runs `npx vss-webhook` on Node 24. It is JavaScript, because an older Node may have to start it.

import { fileURLToPath } from 'node:url';

process.argv.splice(2, 0, fileURLToPath(new URL('commands/main.ts', import.meta.url)));
await import('./node24.js');
