import { cpus, totalmem } from 'node:os';

/** Describes this machine, the Node version and the date of a measurement in one line. */
export function machine(): string {
  const [{ model = 'unknown processor' } = {}] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  const day = new Date().toISOString().slice(0, 10);
  return `${cpus().length} cores (${model}), ${memory} GB, Node ${process.versions.node}, ${day}`;
}
