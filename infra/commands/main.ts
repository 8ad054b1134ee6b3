import { runInProcess } from './command-line/run-in-process.ts';
import { findCommand } from './vss-webhook.ts';

const [name, ...args] = process.argv.slice(2);
await runInProcess(await findCommand(name), args);
