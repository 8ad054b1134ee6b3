import { cpus, totalmem } from 'node:os';

/** Where and when something was measured, in one line. */
export function machine(): string {
  const [{ model = 'unknown processor' } = {}] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  const day = new Date().toISOString().slice(0, 10);
  return `${cpus().length} cores (${model}), ${memory} GB, Node ${process.versions.node}, ${day}`;
}
